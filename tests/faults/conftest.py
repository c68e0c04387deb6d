"""The fault tests stand on what the crash tests have: servers that may end, the oracle, the check.

The seed is printed at the end, whatever happened: MUSTER_FAULTS_SEED=… repeats the plans."""

import os
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "crash"))

from instance import stores  # noqa: E402, beside us

SEED = int(os.environ.get("MUSTER_FAULTS_SEED", time.time_ns() % 10**9))
NOTES = []


def pytest_configure(config):
    stores.declare(config)


def pytest_collection_modifyitems(items):
    stores.skip_marked(items)


@pytest.fixture
def faults_seed():
    return SEED


@pytest.fixture
def note():
    """Takes sentences for the end of the output."""
    return NOTES.append


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"faults: seed {SEED} (MUSTER_FAULTS_SEED)")
    for sentence in NOTES:
        terminalreporter.write_line(f"  {sentence}")
