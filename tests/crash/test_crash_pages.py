"""A power cut in the middle of a large commit, on a file system that makes a file's length durable
before its data: pages of the unsynced end of the log read as zeros."""

import random

import pytest

import power
from instance import Reader, Server, binary, tool
from load import Client, Died
from oracle import CYREXA, Recipe

pytestmark = pytest.mark.folder("it is about files of the data folder")


def test_pages_of_the_last_commit_are_lost(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    journal = power.Journal(tmp_path, data)
    server = Server(binary(), data, tmp_path / "log", environment=journal.environment(tool("power_cut.so")))
    server.wait_ready()
    client = Client(server.host, server.port, server.credentials)
    kept = client.send(CYREXA, Recipe("kept", CYREXA, 10).items()).ids()
    journal.kill_at(journal.count())  # the sync of what comes next
    with pytest.raises(Died):
        client.send(CYREXA, Recipe("large", CYREXA, 1000).items())
    server.kill()
    _, files, size = power.cut(journal, random.Random(1), power.PAGES)
    assert files > 0 and size > 50 * power.PAGE, "nothing was under way"

    server = Server(binary(), data, tmp_path / "log").wait_ready()
    try:
        with Reader(server) as reader:
            assert None not in reader.documents(kept).values()
            assert len(reader.customers()) == len(kept), "the commit was never answered, and can't be whole"
    finally:
        server.kill()
