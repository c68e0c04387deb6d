"""Tests of and on the PostgreSQL store; skipped where PostgreSQL is not installed.

The seed is printed at the end, whatever happened: MUSTER_POSTGRES_SEED=… repeats the plans."""

import os
import pathlib
import random
import sys
import time

import pytest

import cluster

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "crash"))

SEED = int(os.environ.get("MUSTER_POSTGRES_SEED", time.time_ns() % 10**9))
NOTES = []


LEVEL = os.environ.get("TEST_LEVEL", "quick")


def pytest_configure(config):
    config.addinivalue_line("markers", "full: takes long; runs at TEST_LEVEL=full")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("full") and LEVEL not in ("full", "soak"):
            item.add_marker(pytest.mark.skip(reason="runs at TEST_LEVEL=full"))
    if not cluster.installed():
        for item in items:
            if item.path.parent.name == "postgres":
                item.add_marker(pytest.mark.skip(reason=cluster.MISSING))


@pytest.fixture
def luck(request):
    """Of the test's own."""
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture
def note():
    """Takes sentences for the end of the output."""
    return NOTES.append


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"postgres: seed {SEED} (MUSTER_POSTGRES_SEED)")
    for sentence in NOTES:
        terminalreporter.write_line(f"  {sentence}")
