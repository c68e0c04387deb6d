"""Tests of and on the PostgreSQL store; skipped where PostgreSQL is not installed."""

import pytest

import cluster


def pytest_collection_modifyitems(items):
    if not cluster.installed():
        for item in items:
            if item.path.parent.name == "postgres":
                item.add_marker(pytest.mark.skip(reason=cluster.MISSING))
