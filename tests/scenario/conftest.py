"""Fixtures: a module has its own server, which must end well and leave no secret behind."""

import pytest

from muster import LEVEL, Server, stores


def pytest_configure(config):
    config.addinivalue_line("markers", "full: takes long; runs at TEST_LEVEL=full")
    stores.declare(config)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("full") and LEVEL not in ("full", "soak"):
            item.add_marker(pytest.mark.skip(reason="runs at TEST_LEVEL=full"))
    stores.skip_marked(items)


def pytest_sessionfinish():
    """A test that failed halfway may have left its server running."""
    for process in Server.started:
        if process.poll() is None:
            process.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("muster"))
    yield running
    running.end()


@pytest.fixture
def own_server(tmp_path):
    """For tests that stop, break or fill a server: one of their own."""
    running = Server(tmp_path)
    yield running
    running.end()
