"""The end of the log is damaged behind a crash: a part of what was acknowledged can't be read any more. That is
never taken for an unsynced end: the server refuses to open, says so, and has changed nothing."""

import random
import shutil

import pytest

from checker import Violation
from instance import LEVEL, Server, StartFailed, binary
from load import Client
from oracle import CYREXA, Pen, Recipe
from rounds import Found, Store
from tools import fault_tool

pytestmark = pytest.mark.folder("it is about files of the data folder")

ROUNDS = 40 if LEVEL in ("full", "soak") else 6


def cut_tail(path, luck):
    """Some of the end is gone."""
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.truncate(size - luck.randint(1, min(size, 4000)))


def blank_tail(path, luck):
    """Some of the end reads as zeros."""
    size = path.stat().st_size
    count = luck.randint(1, min(size, 4000))
    with open(path, "r+b") as file:
        file.seek(size - count)
        file.write(bytes(count))


def flip_tail(path, luck):
    """A byte near the end is another one."""
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.seek(size - luck.randint(1, min(size, 4000)))
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ (1 << luck.randint(0, 7))]))


def fill(store):
    """A killed server's folder, with customers that were acknowledged one by one."""
    store.start(None)
    store.ready()
    client = Client(store.server.host, store.server.port, store.server.credentials)
    path = store.folder / "oracle.fill"
    pen = Pen(path)
    for number in range(30):
        recipe = Recipe(f"{store.name}.{number}", CYREXA, 1 + number % 3)
        pen.intent(recipe)
        answer = client.send(CYREXA, recipe.items())
        pen.acknowledged(recipe, answer.ids(), answer.import_id)
    pen.close()
    store.server.kill()
    store.oracle.read(path)


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.log")}


def refuses(store):
    """Whether it does not open; then it must have said why, and left the log as it was."""
    before = files(store.data)
    server = Server(store.program, store.data, store.folder / "log")
    try:
        server.wait_ready()
    except StartFailed as failed:
        store._raise([] if "the log is damaged" in str(failed) else [Violation("START", str(failed))])
        store._raise([] if files(store.data) == before else [Violation("START", "a log was changed")])
        return True
    finally:
        server.kill()
    return False


def campaign(folder, program, luck, rounds):
    """How many rounds were refused; raises Found when one lost something."""
    refused = 0
    for number in range(rounds):
        store = Store(folder / f"torn{number}", program, [], luck, f"torn{number}")
        try:
            refused += damaged(store, luck)
        finally:
            store.server.kill()
        shutil.rmtree(store.folder)
    return refused


def damaged(store, luck):
    """Whether the store was refused; what opens must have everything."""
    fill(store)
    logs = sorted(store.data.rglob("store/*.log"))
    luck.choice([cut_tail, blank_tail, flip_tail])(logs[-1], luck)
    if refuses(store):
        return True
    store.start(None)
    store.ready()
    store.check()
    return False


def test_a_damaged_end_is_refused(tmp_path, faults_seed):
    assert campaign(tmp_path, binary(), random.Random(faults_seed), ROUNDS) > ROUNDS // 2


def test_planted_a_torn_tail_is_taken(tmp_path, faults_seed):
    with pytest.raises(Found) as caught:
        campaign(tmp_path, fault_tool("muster_plant_torn_tail"), random.Random(faults_seed), ROUNDS)
    assert "LOST" in caught.value.kinds
