"""Many requests with an Idempotency-Key, half of whose answers are dropped, each sent again with its key until it is
answered; the server is stopped, killed and started again in between. Each is made once, and a replay is the first
answer byte for byte."""

import http.client
import json
import os
import random
import threading
import time

import pytest

from instance import LEVEL, SANITIZED, Reader, Server, binary
from load import CHUNK_ITEMS, PATHS, Client, Died
from oracle import CYREXA, NEXERA, Recipe
from proxy import CLOSE, RESET, Plan, Proxy
from rounds import Found, Store
from tools import fault_tool

REQUESTS = int(os.environ.get("MUSTER_FAULTS_REQUESTS",
                              100000 if LEVEL in ("full", "soak") else 200 if SANITIZED else 2000))
CLIENTS = 4
RESTARTS = 5
REPLAYS = 0.1       # of the answered are asked for again
CHECK_EVERY = 10000  # requests of one store: the check walks all of it
PATIENCE_S = 60
PLANTED_REQUESTS = 400


class Asker(threading.Thread):
    """A client's share of the requests."""

    def __init__(self, campaign, number):
        super().__init__(daemon=True)
        self.campaign, self.name_of = campaign, f"k{campaign.part}-{number}"
        self.luck = random.Random(f"{campaign.seed} {campaign.part} {number}")
        self.dropped = self.replayed = 0
        self.plan = Plan()
        self.failed = None

    def recipe(self, number):
        nameless = self.luck.random() < 0.5
        name = f"{self.name_of}.{number}"
        count = self.luck.choices([1, self.luck.randint(2, 20), CHUNK_ITEMS + 100], [80, 19.5, 0.5])[0]
        return Recipe(name, CYREXA if nameless else self.luck.choice([CYREXA, NEXERA]), count, key=f"key-{name}",
                      nameless=nameless)

    def client(self, port=None):
        """Over the proxy, or straight when there is none."""
        server = self.campaign.store.server
        return Client(server.host, port or server.port, server.credentials)

    def drop(self, recipe):
        """Sends it whole, and sees nothing or not all of the answer."""
        self.dropped += 1
        try:
            if self.luck.random() < 0.5:
                self.hang_up(recipe)
            else:
                self.cut(recipe)
        except (Died, ValueError, OSError, http.client.HTTPException):
            pass  # that is what was wanted; or the server is just being started anew

    def hang_up(self, recipe):
        client = self.client()
        client.http.request("POST", PATHS[recipe.contract], client.encode(recipe.contract, recipe.items()),
                            client.headers(recipe.contract, recipe.key))
        if self.luck.random() < 0.5:
            time.sleep(self.luck.uniform(0, 0.01))
        client.http.close()

    def cut(self, recipe):
        self.plan = Plan(down=self.luck.randint(0, 300), end=self.luck.choice([CLOSE, RESET]))
        with Proxy(self.campaign.store.server.host, self.campaign.store.server.port, lambda: self.plan) as proxy:
            client = self.client(proxy.port)
            client.http.timeout = 5
            client.send_once(recipe)

    def ask(self, recipe):
        """Until it is answered; the server may be away for a while."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                answer = self.connection.send_once(recipe)
            except (Died, ValueError):
                self.connection.http.close()
                time.sleep(0.05)
                self.connection = self.client()
                continue
            if answer.status == 200:
                return answer
            if answer.status == 401:  # each start makes other credentials
                self.connection = self.client()
                continue
            assert answer.code() in ("idempotency-key-in-flight", "overloaded"), f"{recipe.batch}: {answer!r}"
            time.sleep(0.02)
        raise AssertionError(f"{recipe.batch} was not answered within {PATIENCE_S} s")

    def one(self, number):
        recipe = self.recipe(number)
        self.campaign.intend(recipe)
        if self.luck.random() < 0.5:
            for _ in range(self.luck.choice([1, 1, 1, 2, 3])):
                self.drop(recipe)
        answer = self.ask(recipe)
        self.campaign.acknowledge(recipe, answer)
        if self.luck.random() < REPLAYS:
            again = self.ask(recipe)
            self.replayed += 1
            assert again.replayed, f"{recipe.batch}: asked for again, not told that it is a replay"
            assert again.raw == answer.raw, f"{recipe.batch}: {again!r} instead of {answer!r}"
            assert again.import_id == answer.import_id, recipe.batch

    def run(self):
        try:
            self.connection = self.client()
            for number in range(self.campaign.share):
                self.one(number)
                self.campaign.count()
        except Exception as error:  # told by the campaign
            self.failed = error


class Campaign:
    def __init__(self, store, seed, part, requests):
        self.store, self.seed, self.part, self.share = store, seed, part, requests // CLIENTS
        self.lock, self.done = threading.Lock(), 0

    def intend(self, recipe):
        digests = recipe.digests()
        with self.lock:
            self.store.oracle.intend(recipe, "whole", digests)

    def acknowledge(self, recipe, answer):
        with self.lock:
            self.store.oracle.acknowledge(recipe.batch, answer.ids(), answer.import_id)

    def count(self):
        with self.lock:
            self.done += 1

    def start_anew(self, luck):
        """Stopped, or killed."""
        old = self.store.server
        if luck.random() < 0.5:
            assert old.stop() == 0, old.log_tail()
        else:
            old.kill()
        server = Server(self.store.program, self.store.data, self.store.folder / "log",
                        ["--listen", f"{old.host}:{old.port}"])
        self.store.server = server.wait_ready()

    def run(self):
        askers = [Asker(self, number) for number in range(CLIENTS)]
        luck = random.Random(f"{self.seed} {self.part}")
        for asker in askers:
            asker.start()
        for number in range(1, RESTARTS + 1):
            at = self.share * CLIENTS * number // (RESTARTS + 1)
            while self.done < at and any(asker.is_alive() for asker in askers):
                time.sleep(0.02)
            self.start_anew(luck)
        for asker in askers:
            asker.join()
        failures = [asker.failed for asker in askers if asker.failed is not None]
        assert not failures, failures
        return sum(asker.dropped for asker in askers), sum(asker.replayed for asker in askers)


def run_store(folder, program, seed, part, requests):
    """One part of a campaign over a store of its own: (answers dropped, replays compared). Raises what it finds."""
    store = Store(folder / f"keys{part}", program, [], random.Random(part), f"keys{part}")
    store.start(None)
    store.ready()
    try:
        counts = Campaign(store, seed, part, requests).run()
        store.check()
        store.stop()
    finally:
        store.server.kill()
    store.remove()
    return counts


def test_half_of_the_answers_are_dropped(tmp_path, faults_seed, note):
    totals = [0, 0]
    for part in range(-(-REQUESTS // CHECK_EVERY)):
        requests = min(CHECK_EVERY, REQUESTS - part * CHECK_EVERY)
        totals = [sum(pair) for pair in zip(totals, run_store(tmp_path, binary(), faults_seed, part, requests))]
    note(f"keys: {REQUESTS} requests, {totals[0]} answers dropped, {totals[1]} replays compared")
    assert totals[0] > REQUESTS * 0.4 and totals[1] > REQUESTS * 0.05


# ---- one key, many at once ----


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "store", binary(), [], random.Random(0), "keys")
    made.start(None)
    made.ready()
    yield made
    made.server.kill()


@pytest.mark.parametrize("count", [1, 30, CHUNK_ITEMS + 200])
def test_sixteen_at_once_are_one_import(store, count):
    recipe = Recipe("shared", CYREXA, count, key="shared", nameless=True)
    store.oracle.intend(recipe, "whole", recipe.digests())
    answers, lock, gate = [], threading.Lock(), threading.Barrier(16)

    def ask():
        client = Client(store.server.host, store.server.port, store.server.credentials)
        gate.wait()
        answer = client.send_recipe(recipe)
        with lock:
            answers.append(answer)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} == {200} and len(answers) == 16
    assert len({answer.raw for answer in answers}) == 1
    assert len({answer.import_id for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    store.oracle.acknowledge("shared", answers[0].ids(), answers[0].import_id)
    with Reader(store.server) as reader:
        assert list(reader.imports()) == [answers[0].import_id]
    store.check()
    store.stop()


def test_another_body_under_the_same_key(store):
    client = Client(store.server.host, store.server.port, store.server.credentials)
    first = client.send(CYREXA, Recipe("one", CYREXA, 3).items(), "same")
    assert first.status == 200
    other = client.send(CYREXA, Recipe("two", CYREXA, 3).items(), "same")
    assert (other.status, other.code()) == (422, "idempotency-key-reused")
    again = client.send(CYREXA, Recipe("one", CYREXA, 3).items(), "same")
    assert (again.raw, again.replayed) == (first.raw, True)
    assert json.loads(again.raw) == first.body


def test_planted_a_claim_is_written_behind_the_answer(tmp_path, faults_seed):
    """The same campaign finds it: what came with the key before is made again, or not known to be a replay."""
    with pytest.raises((Found, AssertionError), match="replay|DOUBLED|was answered|sent again"):
        run_store(tmp_path, fault_tool("muster_plant_request_late"), faults_seed, 0, PLANTED_REQUESTS)
