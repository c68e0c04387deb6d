"""A database, the Muster nodes over it, the clients that keep them busy, and the oracle of what these were answered.

Clients are persistent: each sends its batch again, to any node, until it is answered yes, as the documentation says
is safe: each batch has an external id for every customer or an Idempotency-Key. Meanwhile only documented refusals may
come. Then the check of tests/crash compares what the registry shows with what was acknowledged.
"""

import http.client
import random
import shutil
import threading
import time

import pytest

import stores
from checker import Violation
from instance import SANITIZED, Reader, Server, StartFailed
from load import CHUNK_ITEMS, Client, Died
from oracle import CYREXA, NEXERA, Recipe
from rounds import Store

PATIENCE_S = 240 if SANITIZED else 120
CLIENTS = 4
URL = "https://registry.example"  # all nodes issue tokens under one name
ARGUMENTS = ["--url", URL, "--http-threads", "1", "--worker-threads", "2", "--hash-threads", "1",
             "--stop-timeout", "20"]
REFUSALS = {(503, "overloaded"), (503, "outcome-unknown"), (503, "storage-away"), (409, "busy"),
            (409, "idempotency-key-in-flight")}


def parts(total, each):
    """As test parameters: so many at a time, and the rest."""
    whole, rest = divmod(total, each)
    return [pytest.param(each, id=f"{number}") for number in range(whole)] + (
        [pytest.param(rest, id="rest")] if rest else [])


class Registry(Store):
    """Node 0 is what a Store is; others are over the same database."""

    look_up_max = (150, 30)

    def __init__(self, folder, url, luck, program, arguments=()):
        super().__init__(folder, program, [*ARGUMENTS, *arguments], luck, folder.name)
        self.url, self.others, self.refusals = url, {}, set(REFUSALS)
        self.live = {}  # nodes that are ready, by number; a killed one stays until it is started anew
        self.credentials = None
        stores.use(self.data, url)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers():
            server.kill()
        for name in (self.data, *(self._data(number) for number in self.others)):
            stores.forget(name)

    def servers(self):
        return [server for server in (self.server, *self.others.values()) if server is not None]

    def _data(self, number):
        return self.data if number == 0 else self.folder / f"data{number}"

    def start_node(self, number=0):
        """Node 0 first: the others get its root key."""
        if number == 0:
            self.start(None)
            self.ready()
            self.credentials = self.server.credentials
            self.live[0] = self.server
            return self.server
        data = self._data(number)
        if not data.exists():
            data.mkdir(mode=0o700)
            shutil.copytree(self.data / "keys", data / "keys")
            stores.use(data, self.url)
        self.others[number] = Server(self.program, data, self.folder / f"log{number}", self.arguments)
        try:
            self.live[number] = self.others[number].wait_ready()
            return self.live[number]
        except StartFailed as failed:
            self._raise([Violation("START", str(failed))])

    def stop_nodes(self):
        """All of them; then the database is verified."""
        for number, server in list(self.others.items()):
            status = server.stop()
            if status != 0:
                self._raise([Violation("START", f"a stop ended with {status}: {server.log_tail()}")])
            del self.others[number]
        self.stop()
        self.server = None

    def settle(self):
        """Until nothing is under way any more."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            with Reader(self.server) as reader:
                states = [row["state"] for row in reader.imports().values()]
            if "open" not in states:
                return
            time.sleep(0.2)

    def finish_check(self, rows):
        """All is compared; then in the database: what is not visible is swept away. rows(sql) asks it."""
        self.settle()
        self.check()
        with Reader(self.server) as reader:
            visible = len(reader.customers())
        until = time.monotonic() + 30
        while (kept := int(rows("SELECT count(*) FROM muster_body")[0][0])) != visible:
            if time.monotonic() > until:
                self._raise([Violation("DOUBLED", f"{kept} customers in the database, {visible} visible")])
            time.sleep(0.3)
        self.stop_nodes()
        return visible


class Persistent(threading.Thread):
    """A client."""

    def __init__(self, campaign, number):
        super().__init__(daemon=True)
        self.campaign, self.name_of = campaign, f"{campaign.name}-{number}"
        self.luck = random.Random(f"{campaign.seed} {number}")
        self.made = self.refused = self.again = 0
        self.failed = None
        self.connections = {}

    def recipe(self):
        self.made += 1
        batch = f"{self.name_of}.{self.made}"
        keyed = self.luck.random() < 0.4
        nameless = keyed and self.luck.random() < 0.5
        low, high = self.luck.choices([(1, 5), (5, 200), (CHUNK_ITEMS + 1, 3 * CHUNK_ITEMS)], self.campaign.sizes)[0]
        return Recipe(batch, CYREXA if nameless else self.luck.choice([CYREXA, NEXERA]), self.luck.randint(low, high),
                      key=f"key-{batch}" if keyed else None, nameless=nameless)

    def _client(self):
        """To any of the nodes."""
        server = self.luck.choice(list(self.campaign.registry.live.values()))
        if server not in self.connections:
            self.connections[server] = Client(server.host, server.port, self.campaign.registry.credentials)
            self.connections[server].http.timeout = PATIENCE_S / 2
        return server, self.connections[server]

    def _ask(self, recipe):
        """One attempt: the answer, or None when the connection broke, as it may when a node is killed, or when the
        database falls silent while ids are read for an answer that has begun."""
        server, client = self._client()
        try:
            return client.send_once(recipe)
        except (Died, ValueError) as error:
            client.http.close()
            del self.connections[server]
            broken_off = isinstance(error.__cause__, http.client.IncompleteRead)
            if not self.campaign.nodes_may_die and not (broken_off and self.campaign.answers_may_break):
                raise AssertionError(f"{recipe.batch}: the connection to a node broke: {error.__cause__!r}; it "
                                     f"{self._fate(server)}") from None
            return None

    @staticmethod
    def _fate(server):
        server.wait_dead(1)
        status = server.process.poll()
        return "goes on" if status is None else f"ended with {status}: {server.log_tail()[-300:]}"

    def one(self, recipe):
        self.campaign.intend(recipe)
        until = time.monotonic() + PATIENCE_S
        while True:
            answer = self._ask(recipe)
            if answer is not None and answer.status == 200:
                return self.campaign.acknowledge(recipe, answer)
            if answer is not None and answer.status == 401 and self.campaign.nodes_may_die:
                self.connections.clear()  # a node that starts anew makes other credentials
            elif answer is not None:
                self.refused += 1
                assert (answer.status, answer.code()) in self.campaign.registry.refusals, f"{recipe.batch}: {answer!r}"
            assert time.monotonic() < until, f"{recipe.batch}: never answered yes: {answer!r}"
            self.again += 1
            time.sleep(0.02 if answer is not None and answer.status == 409 else 0.1)

    def run(self):
        try:
            while not self.campaign.over(self):
                self.one(self.recipe())
        except (AssertionError, OSError, http.client.HTTPException) as error:  # told by the campaign
            self.failed = error
            self.campaign.stopping.set()


class Campaign:
    """Clients at work. `batches` of each client, or None: until stop()."""

    def __init__(self, registry, name, seed, batches=None, sizes=(76, 20, 4), nodes_may_die=False,
                 answers_may_break=False, clients=CLIENTS):
        self.registry, self.name, self.seed, self.sizes, self.batches = registry, name, seed, sizes, batches
        self.nodes_may_die, self.answers_may_break = nodes_may_die, answers_may_break
        self.lock, self.stopping = threading.Lock(), threading.Event()
        self.clients = [Persistent(self, number) for number in range(clients)]
        for client in self.clients:
            client.start()

    def over(self, client):
        return self.stopping.is_set() or (self.batches is not None and client.made >= self.batches)

    def intend(self, recipe):
        with self.lock:
            self.registry.oracle.intend(recipe, "whole", recipe.digests())

    def acknowledge(self, recipe, answer):
        with self.lock:
            self.registry.oracle.acknowledge(recipe.batch, answer.ids(), answer.import_id)

    def acknowledged(self):
        with self.lock:
            return len(self.registry.oracle.acknowledged())

    def join(self):
        for client in self.clients:
            client.join(2 * PATIENCE_S)
        failures = [client.failed for client in self.clients if client.failed is not None or client.is_alive()]
        assert not failures, failures

    def stop(self):
        """Each ends its batch."""
        self.stopping.set()
        self.join()

    def until(self, more, seconds=PATIENCE_S):
        """Until that many batches more were acknowledged."""
        wanted, until = self.acknowledged() + more, time.monotonic() + seconds
        while self.acknowledged() < wanted:
            if self.stopping.is_set() or time.monotonic() > until:
                self.stop()  # tells why, if a client has failed
                raise AssertionError(f"no {more} batches were taken within {seconds} s")
            time.sleep(0.02)

    def again(self):
        return sum(client.again for client in self.clients)
