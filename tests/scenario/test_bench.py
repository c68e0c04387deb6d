"""The measurements run: every line is there, and every customer of it got an id. Never how fast."""

import subprocess

import pytest

from muster import binary, clean_environment

SHAPES = ("cyrexa", "nexera")


def bench(folder, *arguments):
    done = subprocess.run([binary(), "bench", "--quick", "--folder", folder, *arguments], env=clean_environment(),
                          capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert not list(folder.iterdir()), "the scratch folder stays"
    rows = [line.split("\t") for line in done.stdout.decode().splitlines() if not line.startswith("#")]
    assert rows[0][:4] == ["name", "shape", "unit", "value"]
    return {(row[0], row[1]): float(row[3]) for row in rows[1:]}, done.stderr.decode()


def test_streams_in_every_form(tmp_path):
    lines, bars = bench(tmp_path, "--only", "stream", "--customers", "250")
    names = ["floor"] + [f"stream-{form}" for form in ("json", "ndjson", "csv", "zstd", "lenient")]
    assert sorted(lines) == sorted((name, shape) for name in names for shape in SHAPES)
    assert all(value > 0 for value in lines.values())
    assert bars.count("x floor") == 10


def test_growth(tmp_path):
    lines, bars = bench(tmp_path, "--only", "growth", "--customers", "250")
    names = ("growth-first", "growth-fill", "growth-last")
    assert sorted(lines) == sorted((name, shape) for name in names for shape in SHAPES)
    assert bars.count("x growth-first") == 2


@pytest.mark.full
def test_singles_beside_a_stream(tmp_path):
    lines, bars = bench(tmp_path, "--only", "beside")
    assert {name for name, _ in lines} == {"quiet-64", "quiet-4", "beside-64", "beside-4", "beside-stream"}
    assert bars.count("p99 ms") == 2


@pytest.mark.full
def test_bodies_of_both_sizes(tmp_path):
    lines, bars = bench(tmp_path, "--only", "size", "--gigabytes", "1")
    assert {name for name, _ in lines} == {"size-small", "size-large"}
    assert bars.count("peak MiB") == 2
