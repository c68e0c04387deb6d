"""The seed is printed at the end, whatever happened: MUSTER_CRASH_SEED=… repeats the plans."""

import os
import time

import pytest

import rounds
from instance import LEVEL, stores

SEED = int(os.environ.get("MUSTER_CRASH_SEED", time.time_ns() % 10**9))
ROUNDS = int(os.environ.get("MUSTER_CRASH_ROUNDS", {"full": 300, "soak": 300, "sanitized": 6}.get(LEVEL, 30)))
TOTALS = rounds.Totals()


def pytest_configure(config):
    stores.declare(config)


def pytest_collection_modifyitems(items):
    stores.skip_marked(items)


@pytest.fixture
def seed():
    return SEED


@pytest.fixture
def round_count():
    return ROUNDS


@pytest.fixture
def totals():
    return TOTALS


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"crash: seed {SEED} (MUSTER_CRASH_SEED); {TOTALS!r}")
