"""The first start, killed and cut off from power at each of its operations on files; the next start
must find its way. And what is acknowledged right behind the first start. A store in PostgreSQL is on another
machine then, which goes on: it may know more of the first start than the data folder does."""

import random

import pytest

import power
from instance import LEVEL, Reader, Server, binary, stores, tool, verify
from load import Client
from oracle import CYREXA, Recipe

FEW = 12  # moments that the quick level tries


def start(folder, data, root, at=None):
    """A server under a journal of its own, and the journal."""
    journal = power.Journal(folder, root)
    if at is not None:
        journal.kill_at(at)
    environment = journal.environment(tool("power_cut.so"))
    return Server(binary(), data, folder / "log", environment=environment), journal


@pytest.fixture(scope="module")
def operations(tmp_path_factory):
    """What a first start does, whole."""
    data = tmp_path_factory.mktemp("whole") / "data"
    data.mkdir(mode=0o700)
    server, journal = start(data.parent, data, data)
    server.wait_ready()
    server.kill()
    return journal.read()


def send_one(server):
    """The id of one acknowledged customer."""
    answer = Client(server.host, server.port, server.credentials).send(CYREXA, Recipe("first", CYREXA, 1).items())
    assert answer.status == 200, answer
    return answer.ids()[0]


def broken_off_start(folder, at, kind, luck):
    """The data folder of a first start that ended at an operation, behind a power cut."""
    data = folder / "data"
    data.mkdir(parents=True, mode=0o700)
    server, journal = start(folder, data, data, at)
    server.wait_end()
    server.kill()
    power.cut(journal, luck, kind)
    return data


def use(folder, data):
    """Starts again; it must take and show a customer."""
    server = Server(binary(), data, folder / "log").wait_ready()
    try:
        customer_id = send_one(server)
        with Reader(server) as reader:
            assert reader.documents([customer_id])[customer_id]
    finally:
        server.kill()
    assert verify(binary(), data)[0] == 0
    stores.forget(data)


def test_first_start_is_broken_off(tmp_path, seed, operations):
    luck = random.Random(seed)
    count = operations[-1].number + 1
    moments = range(count) if LEVEL in ("full", "soak") else sorted(luck.sample(range(count), min(FEW, count)))
    failed = {}
    for at in moments:
        folder = tmp_path / str(at)
        try:
            use(folder, broken_off_start(folder, at, luck.choice([power.STRICT, power.TORN]), luck))
        except Exception as error:  # each moment is told, not only the first
            failed[at] = repr(error)[:300]
    assert not failed, f"of {count} operations: {failed}"


def test_operator_key_is_there_when_the_first_start_was_broken_off(tmp_path, operations):
    """Broken off right before the file of the key is made, it is made by the next start."""
    made = next(op.number for op in operations if op.path.endswith("/operator.key.new"))
    data = broken_off_start(tmp_path, made, power.STRICT, random.Random(0))
    server = Server(binary(), data, tmp_path / "log").wait_ready()
    try:
        server.credentials["accessToken"] = (data / "operator.key").read_text().strip()
        with Reader(server) as operator:
            assert operator.get("/v1/admin/tenants")
    finally:
        server.kill()


def test_first_start_makes_a_folder_that_lasts(tmp_path):
    """What is acknowledged then must not go with the folder's name."""
    root = tmp_path / "root"
    root.mkdir()
    server, journal = start(tmp_path, root / "data", root)
    customer_id = send_one(server.wait_ready())
    server.kill()
    power.cut(journal, random.Random(0), power.STRICT)
    server = Server(binary(), root / "data", tmp_path / "log").wait_ready()
    try:
        with Reader(server) as reader:
            assert reader.documents([customer_id])[customer_id], "acknowledged, and gone with the data folder"
    finally:
        server.kill()
