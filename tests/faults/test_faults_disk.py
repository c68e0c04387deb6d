"""A real small file system, filled up under load. The server says 507 while there is no room, answers reads, and
loses nothing that it acknowledged; with room again it takes writes without being started anew."""

import http.client
import json
import os
import random
import subprocess
import threading
import time

import pytest

from instance import Reader, Server, binary
from load import PATHS, Client, Died
from oracle import CYREXA, NEXERA, Recipe
from rounds import Store

pytestmark = pytest.mark.folder("it is about the disk of the data folder")

SIZE_MIB = 256
ROOM_BYTES = 24 << 20  # what is left of it for the server: the rest is ballast that is then removed
CLIENTS = 3
PATIENCE_S = 60
REFUSALS = {(507, "storage-full"), (503, "overloaded"), (503, "outcome-unknown"), (409, "busy")}


@pytest.fixture(params=["tmpfs", "ext4"])
def small_disk(tmp_path, request):
    """A folder on a file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "tmpfs":
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", str(folder)]
    else:
        image = tmp_path / "image"
        with open(image, "wb") as file:
            file.truncate(SIZE_MIB << 20)
        made = subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            pytest.skip(f"no ext4 can be made: {made.stderr.strip()}")
        command = ["mount", "-o", "loop", str(image), str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"mount is refused here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def free_bytes(folder):
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


class Filler(threading.Thread):
    """Sends fat batches until told to stop; what it is answered goes to the oracle."""

    def __init__(self, store, number, lock, stop):
        super().__init__(daemon=True)
        self.store, self.number, self.lock, self.stop = store, number, lock, stop
        self.full = 0
        self.wrong = []

    def run(self):
        server = self.store.server
        client = Client(server.host, server.port, server.credentials)
        made = 0
        while not self.stop.is_set():
            made += 1
            recipe = Recipe(f"f{self.number}.{made}", CYREXA if made % 2 else NEXERA, 300, fat=True)
            digests = recipe.digests()
            with self.lock:
                self.store.oracle.intend(recipe, "whole", digests)
            try:
                answer = client.send(recipe.contract, recipe.items())
            except Died as died:
                self.wrong.append(repr(died.__cause__))
                return
            if answer.status == 200:
                with self.lock:
                    self.store.oracle.acknowledge(recipe.batch, answer.ids(), answer.import_id)
            elif (answer.status, answer.code()) in REFUSALS:
                self.full += answer.status == 507
                time.sleep(0.05)
            else:
                self.wrong.append(repr(answer))


def wait_until(condition, what):
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, f"not within {PATIENCE_S} s: {what}"
        time.sleep(0.1)


def ready(server):
    with Reader(server) as reader:
        return next(iter(reader.many([("/readyz", None)])))[0]


def reads_go_on(store):
    some = [one for batch in store.oracle.acknowledged()[-3:] for one in batch.ids[:20]]
    with Reader(store.server) as reader:
        assert None not in reader.documents(some).values()


def fill_up(store, folder):
    """Under load, until all that is sent is refused."""
    lock, stop = threading.Lock(), threading.Event()
    fillers = [Filler(store, number, lock, stop) for number in range(CLIENTS)]
    for filler in fillers:
        filler.start()
    wait_until(lambda: all(filler.full >= 2 or filler.wrong for filler in fillers), f"507, {free_bytes(folder)} free")
    reads_go_on(store)
    stop.set()
    for filler in fillers:
        filler.join()
    assert [filler.wrong for filler in fillers] == [[]] * CLIENTS


def test_a_disk_fills_up_and_is_cleared(tmp_path, small_disk):
    ballast = small_disk / "ballast"  # what somebody else keeps there
    with open(ballast, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, free_bytes(small_disk) - ROOM_BYTES)
    data = small_disk / "data"
    store = Store(tmp_path / "store", binary(), ["--store-memory", "16"], random.Random(0), "disk")
    store.data = data
    data.mkdir(mode=0o700)
    store.start(None)
    try:
        store.ready()
        fill_up(store, small_disk)
        assert ready(store.server) == 507
        process = store.server.process
        ballast.unlink()
        wait_until(lambda: ready(store.server) == 200, "writable again")
        assert store.server.process is process and process.poll() is None
        store.check()  # sends again what was refused
        store.stop()
    finally:
        store.server.kill()


def get(server, path):
    with Reader(server) as reader:
        return next(iter(reader.many([(path, None)])))[1]


def send_over_a_full_disk(server, client, items, ballast):
    """One body without a key: the disk fills up in its middle, so that its end can't be kept, nor that it ended."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE_S)

    def send(some, before):
        body = before + b",".join(json.dumps(item).encode() for item in some)
        connection.send(b"%x\r\n%s\r\n" % (len(body), body))

    connection.putrequest("POST", PATHS[CYREXA])
    for name, value in {**client.headers(CYREXA), "Transfer-Encoding": "chunked"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    send(items[:3500], b"[")
    wait_until(
        lambda: any(one["progress"]["decided"] >= 3000 for one in get(server, "/v1/imports?limit=1")["imports"]),
        "its first chunks are kept",
    )
    with open(ballast, "wb", buffering=0) as file:
        with pytest.raises(OSError):
            while True:
                file.write(bytes(1 << 16))
    for at in range(3500, len(items), 500):
        send(items[at : at + 500], b",")
    connection.send(b"1\r\n]\r\n0\r\n\r\n")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers["Muster-Import"]


def test_what_a_full_disk_left_open_ends_when_there_is_room(tmp_path, small_disk):
    data = small_disk / "data"
    data.mkdir(mode=0o700)
    server = Server(binary(), data, tmp_path / "log", ["--store-memory", "16"]).wait_ready()
    try:
        client = Client(server.host, server.port, server.credentials)
        items = Recipe("left", CYREXA, 12000, fat=True).items()
        ballast = small_disk / "ballast"
        status, left = send_over_a_full_disk(server, client, items, ballast)
        assert status == 507
        ballast.unlink()
        wait_until(lambda: ready(server) == 200, "writable again")
        wait_until(lambda: get(server, f"/v1/imports/{left}")["state"] == "aborted", "it ends")
        assert client.send(CYREXA, items[:5]).status == 200  # its ids are free
    finally:
        server.kill()
