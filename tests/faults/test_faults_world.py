"""Each call to the world fails once, and once for good: a sample of all n at level quick, every n at full."""

import concurrent.futures
import errno
import multiprocessing
import os
import random
import shutil
import time

import pytest

import nth
from instance import LEVEL, SANITIZED, Reader, Server, binary, stores
from load import Client
from oracle import CYREXA, Recipe
from rounds import Found
from tools import fault_tool
from world import ARGUMENTS, LINGER_S, World

EVERY = LEVEL in ("full", "soak")
SAMPLE = int(os.environ.get("MUSTER_FAULTS_SAMPLE", 2 if SANITIZED else 6))  # of a class
LARGE_SAMPLE = 500              # at level full, of what is too much to try each: there are hundreds of thousands
LARGE = {nth.MEMORY_ALL, nth.MEMORY} if stores.IS_POSTGRES else {nth.MEMORY_ALL}
AT_A_TIME = 2
LEAST = {"write": 80, "sync": 40, "rename": 30, "open": 60, "space": 10, "read": 20, "memory": 200}
if stores.IS_POSTGRES:  # the data folder has keys and names only; what breaks between the two is of tests/postgres
    LEAST = {"write": 4, "sync": 8, "rename": 10, "open": 15, "read": 5, "memory": 200}
KINDS = range(nth.MEMORY if SANITIZED else len(nth.CLASSES))  # a sanitizer has an allocator of its own


def libraries(kind):
    return [fault_tool("fail_memory.so" if kind >= nth.MEMORY else "fail_nth.so")]


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """Calls of each class in a run where nothing fails."""
    folder = tmp_path_factory.mktemp("whole")
    names = ["fail_nth.so"] if SANITIZED else ["fail_nth.so", "fail_memory.so"]
    return World(folder / "store", binary(), [fault_tool(name) for name in names]).run().counts()


def test_the_workload_calls_the_world(counts):
    for name, least in LEAST.items():
        if nth.CLASSES.index(name) in KINDS:
            assert counts[nth.CLASSES.index(name)] >= least, name


def one_run(folder, program, fault):
    """What a run finds, as text; nothing else may come of it. In a process of its own."""
    world = World(folder, program, libraries(fault.kind), fault)
    try:
        world.run()
    except Found as found:
        return str(found)
    except Exception as error:  # told with its fault
        return f"{fault}: {error!r}"
    finally:
        world.store.server.kill()
    shutil.rmtree(folder)
    stores.forget(world.store.data)
    return None


def faults_of(kind, count, luck):
    """Spread over all n, with errors and lengths that may happen."""
    errors = [errno.EIO] if kind == nth.SYNC else [errno.EIO, errno.ENOSPC]
    if EVERY and kind not in LARGE:
        return [nth.Fault(kind, at, luck.choice(errors), for_good) for at in range(1, count + 1)
                for for_good in (False, True)]
    some = min(count, LARGE_SAMPLE if EVERY else SAMPLE)
    return [nth.Fault(kind, luck.randint(count * part // some + 1, count * (part + 1) // some), luck.choice(errors),
                      for_good=part % 2 == 1) for part in range(some)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: nth.CLASSES[kind])
def test_a_call_fails(tmp_path, faults_seed, counts, kind, note):
    faults = faults_of(kind, counts[kind], random.Random(f"{faults_seed} {kind}"))
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(AT_A_TIME, mp_context=context) as pool:
        runs = [pool.submit(one_run, tmp_path / str(number), binary(), fault) for number, fault in enumerate(faults)]
        findings = [finding for finding in (run.result() for run in runs) if finding is not None]
    note(f"{nth.CLASSES[kind]}: {len(faults)} of {counts[kind]} calls failed")
    assert not findings, "\n".join([f"{len(findings)} of {len(faults)} runs in {tmp_path}", *findings[:20]])


# ---- the two faults that a server lives to tell ----


@pytest.fixture
def failing(tmp_path):
    """A server whose world the test may break, and the control of it."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    control = nth.Control(tmp_path / "control", data)
    server = Server(binary(), data, tmp_path / "log", ARGUMENTS, control.environment(fault_tool("fail_nth.so")))
    server.wait_ready()
    yield server, control
    server.kill()


def post(server, name):
    return Client(server.host, server.port, server.credentials).send(CYREXA, Recipe(name, CYREXA, 3).items())


def status_of(server, path):
    with Reader(server) as reader:
        (status, document), = reader.many([(path, None)])
        return status, document.get("code")


def until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)


@pytest.mark.folder("what is synced is the store in the data folder")
def test_a_failed_sync_ends_the_server(failing):
    """It is not tried again: nothing more is acknowledged, that is said, reads have a while, the end is an error."""
    server, control = failing
    kept = post(server, "kept")
    assert kept.status == 200
    control.arm_next(nth.SYNC)
    began = time.monotonic()
    assert (post(server, "lost").status, control.failed()) == (503, 1)
    for name in ("later", "kept"):  # the second was acknowledged before: even that yes could not be made durable
        answer = post(server, name)
        assert (answer.status, answer.code()) == (503, "storage-stopped")
    assert status_of(server, "/readyz") == (503, "storage-stopped")
    with Reader(server) as reader:
        assert None not in reader.documents(kept.ids()).values()
    server.wait_dead(LINGER_S + 10)
    assert server.process.poll() == 1, server.log_tail()
    assert time.monotonic() - began >= LINGER_S
    assert "storage failed" in server.log.read_text()


@pytest.mark.folder("what is full is the disk of the data folder")
def test_a_full_disk_is_waited_for(failing):
    """Reads go on; with room again writes go on too, in the same process."""
    server, control = failing
    kept = post(server, "kept")
    control.arm_next(nth.WRITE, errno.ENOSPC, for_good=True)
    answer = post(server, "refused")
    assert (answer.status, answer.code()) == (507, "storage-full")
    assert status_of(server, "/readyz") == (507, "storage-full")
    with Reader(server) as reader:
        assert None not in reader.documents(kept.ids()).values()
    time.sleep(LINGER_S + 1.5)
    assert server.process.poll() is None, "a full disk does not end the server"
    control.lift()
    until(lambda: status_of(server, "/readyz")[0] == 200, 20)
    assert post(server, "refused").status == 200
    assert "storage writable" in server.log.read_text()
    assert server.stop() == 0
