"""The power cut itself: what a small program leaves of a folder, by what it synced."""

import os
import random
import subprocess
import sys

import pytest

import power
from instance import tool

pytestmark = pytest.mark.folder("it is about files of the data folder")

PRELUDE = """
import os
def put(name, data, sync=True, flags=os.O_CREAT):
    fd = os.open(name, os.O_WRONLY | flags, 0o600)
    os.write(fd, data)
    if sync: os.fsync(fd)
    return fd
def sync(folder):
    fd = os.open(folder, os.O_RDONLY); os.fsync(fd); os.close(fd)
root = os.environ["POWER_CUT_ROOT"]
a, b = root + "/a", root + "//b"
"""

# name: (what is there before, what the program does, what a strict cut leaves)
ROWS = {
    "synced, its name not": ({}, "put(a, b'one')", {}),
    "synced with its name": ({}, "put(a, b'one'); sync(root)", {"a": b"one"}),
    "the name only": ({}, "put(a, b'one', False); sync(root)", {"a": b""}),
    "an unsynced end": ({}, "fd = put(a, b'one'); sync(root); os.write(fd, b'two')", {"a": b"one"}),
    "synced by fdatasync": ({}, "fd = put(a, b'one'); sync(root); os.write(fd, b'two'); os.fdatasync(fd)",
                            {"a": b"onetwo"}),
    "written at a place": ({}, "fd = put(a, b'one'); sync(root); os.pwrite(fd, b'two', 3); os.writev(fd, [b'2wo', b'!'])",
                           {"a": b"one"}),
    "an older file": ({"a": b"old"}, "put(a, b'new', False, os.O_APPEND)", {"a": b"old"}),
    "an older file, untouched": ({"a": b"old"}, "sync(root)", {"a": b"old"}),
    "a sync before its end is written": ({"a": b"old"}, "fd = put(a, b'1', True, os.O_APPEND); os.write(fd, b'2')",
                                         {"a": b"old1"}),
    "renamed": ({"a": b"one"}, "os.rename(a, b)", {"a": b"one"}),
    "renamed and synced": ({"a": b"one"}, "os.rename(a, b); sync(root)", {"b": b"one"}),
    "renamed over another": ({"a": b"one", "b": b"two"}, "os.rename(a, b)", {"a": b"one", "b": b"two"}),
    "replaced": ({"a": b"old"}, "put(b, b'new'); os.rename(b, a); sync(root)", {"a": b"new"}),
    "replaced, the folder not synced": ({"a": b"old"}, "put(b, b'new'); sync(root); os.rename(b, a)",
                                        {"a": b"old", "b": b"new"}),
    "removed": ({"a": b"one"}, "os.unlink(a)", {"a": b"one"}),
    "removed and synced": ({"a": b"one"}, "os.unlink(a); sync(root)", {}),
    "removed and made again": ({"a": b"one"}, "os.unlink(a); put(a, b'two')", {"a": b"one"}),
    "a second name": ({"a": b"one"}, "os.link(a, b)", {"a": b"one"}),
    "a second name, synced": ({"a": b"one"}, "os.link(a, b); sync(root)", {"a": b"one", "b": b"one"}),
    "some bytes written over": ({}, "fd = put(a, b'one'); sync(root); os.pwrite(fd, b'xy', 1); os.pwrite(fd, b'z', 1)",
                                {"a": b"one"}),
    "some bytes written over, synced": ({}, "fd = put(a, b'one'); sync(root); os.pwrite(fd, b'xy', 1); os.fsync(fd)",
                                        {"a": b"oxy"}),
    "bytes written over and behind": ({}, "fd = put(a, b'one'); sync(root); os.pwrite(fd, b'wxyz', 2)",
                                      {"a": b"one"}),
    "written over before it was synced": ({}, "fd = put(a, b'one', False); os.pwrite(fd, b'x', 0); os.fsync(fd); "
                                          "sync(root)", {"a": b"xne"}),
    "a second name of what is not synced": ({}, "put(a, b'one', False); os.link(a, b); sync(root)",
                                            {"a": b"", "b": b""}),
    "a second name, the first one removed": ({}, "put(a, b'one'); os.link(a, b); sync(root); os.unlink(a)",
                                             {"a": b"one", "b": b"one"}),
    "synced by its second name": ({}, "put(a, b'one', False); os.link(a, b); put(b, b'', True, os.O_APPEND); "
                                  "sync(root); os.unlink(a); sync(root)", {"b": b"one"}),
    "renamed before it is synced": ({}, "put(a, b'one', False); os.rename(a, b); sync(root)", {"b": b""}),
    "removed by its folder": ({"a": b"one"}, "os.unlink('a', dir_fd=os.open(root, os.O_RDONLY))", {"a": b"one"}),
    "removed by its folder, synced": ({"a": b"one"}, "os.unlink('a', dir_fd=os.open(root, os.O_RDONLY)); sync(root)",
                                      {}),
    "in a folder whose own name is not synced": ({}, "os.mkdir(root + '/c'); sync(root); os.mkdir(root + '/c/d'); "
                                                 "put(root + '/c/d/e', b'one'); sync(root + '/c/d')", {}),
    "a folder": ({}, "os.mkdir(root + '/c'); put(root + '/c/d', b'one'); sync(root + '/c')", {}),
    "a folder that is synced": ({}, "os.mkdir(root + '/c'); put(root + '/c/d', b'one'); sync(root + '/c'); sync(root)",
                                {"c/d": b"one"}),
    "cut short, then written": ({"a": b"old"}, "fd = put(a, b'', False); os.ftruncate(fd, 1); os.pwrite(fd, b'new', 1)",
                                {"a": b"o"}),
    "failed names": ({"a": b"one"}, "os.path.exists(b) or sync(root)\ntry: os.rename(b, a)\nexcept OSError: pass\n"
                     "try: os.mkdir(root)\nexcept OSError: pass", {"a": b"one"}),
    "space without a sync": ({"a": b"old"}, "fd = put(a, b'', False); os.posix_fallocate(fd, 0, 9000)", {"a": b"old"}),
}


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    return root


def run(folder, program, at=None):
    """The program under the journal; it ends like a killed one."""
    journal = power.Journal(folder.parent, folder)
    if at is not None:
        journal.kill_at(at)
    environment = {**os.environ, **journal.environment(tool("power_cut.so"))}
    done = subprocess.run([sys.executable, "-c", PRELUDE + program + "\nos._exit(0)"], env=environment,
                          capture_output=True, text=True, check=False)
    assert done.returncode == (0 if at is None else -9), done
    return journal


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("row", ROWS)
def test_strict(folder, row):
    before, program, after = ROWS[row]
    for name, data in before.items():
        (folder / name).write_bytes(data)
    power.cut(run(folder, program), random.Random(0), power.STRICT)
    assert content(folder) == after


def test_torn_keeps_any_part_of_the_end(folder):
    program = "fd = put(a, b'one'); sync(root); os.write(fd, b'2' * 5); put(b, b'')"
    seen = set()
    for seed in range(100):
        for name in content(folder):
            (folder / name).unlink()
        power.cut(run(folder, program), random.Random(seed), power.TORN)
        left = content(folder)
        assert left["a"].startswith(b"one")
        seen.add((len(left["a"]), "b" in left))
        if len(seen) == 12:
            return
    raise AssertionError(f"only {seen}")


def test_pages_are_lost_only_behind_what_is_synced(folder):
    program = "fd = put(a, b'1' * 5000); sync(root); os.write(fd, b'2' * 60000)"
    lost = 0
    for seed in range(20):
        for name in content(folder):
            (folder / name).unlink()
        power.cut(run(folder, program), random.Random(seed), power.PAGES)
        data = content(folder)["a"]
        assert data[:5000] == b"1" * 5000 and set(data[5000:]) <= {0, ord("2")}
        lost += 0 in data
    assert lost > 0


def test_more_than_a_few_bytes_overwritten_where_they_were_synced_are_told(folder):
    journal = run(folder, "fd = put(a, b'1' * 500); sync(root); os.pwrite(fd, b'x' * 300, 1)")
    with pytest.raises(AssertionError, match="overwritten"):
        power.cut(journal, random.Random(0), power.STRICT)


def test_killed_at_an_operation(folder):
    """0: a is made; 1: synced; 2: the folder is synced; 3: b is made."""
    left = []
    for at in range(4):
        for name in content(folder):
            (folder / name).unlink()
        power.cut(run(folder, "put(a, b'one'); sync(root); put(b, b'')", at), random.Random(0), power.STRICT)
        left.append(content(folder))
    assert left == [{}, {}, {}, {"a": b"one"}]
