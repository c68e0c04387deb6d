"""Clients that keep a server busy until it dies under them, each a process with one connection.

What they do next is drawn by weight: customers one by one, batches up to several chunks, batches that
must be refused for their last item, batches that break off, repetitions, and batches that two clients
send at the same time. A client's pen writes down what it is about to send and what it was answered.
"""

import http.client
import json
import multiprocessing
import random
import time

from instance import PATIENCE_S
from oracle import CYREXA, NEXERA, Pen, Recipe

CHUNK_ITEMS = 1000
PATHS = {CYREXA: "/customer/1.0.0/createBulk", NEXERA: "/customers/batch"}


class Died(Exception):
    """The server has gone; whether it took what was last sent is unknown."""


class Answer:
    def __init__(self, response, body):
        self.status, self.import_id = response.status, response.headers["Muster-Import"]
        self.replayed = response.headers["Idempotency-Replayed"] == "true"
        self.raw = body
        self.body = json.loads(body) if body else None

    def ids(self):
        entries = self.body["customerIds"] if isinstance(self.body, dict) else self.body
        entries = [entry for entry in entries if entry is not None]  # of a lenient batch: was refused
        return [entry["customerId"] if isinstance(entry, dict) else entry for entry in entries]

    def code(self):
        return self.body.get("code") if isinstance(self.body, dict) else None

    def __repr__(self):
        return f"{self.status} {str(self.body)[:300]}"


class Client:
    """Speaks both contracts over one connection that is kept alive."""

    def __init__(self, host, port, credentials):
        self.http = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        self.credentials = credentials

    def headers(self, contract, key=None, lenient=False):
        headers = {"Authorization": f"Bearer {self.credentials['accessToken']}", "Content-Type": "application/json"}
        if contract == CYREXA:
            headers.update(tenantId=self.credentials["tenantId"], token=self.credentials["tenantToken"])
        if key is not None:
            headers["Idempotency-Key"] = f'"{key}"'
        if lenient:
            headers["Prefer"] = "handling=lenient"
        return headers

    def encode(self, contract, items):
        if contract == NEXERA:
            items = {"customerType": "Individual", "customerData": items,
                     "cmsProjectId": self.credentials["cmsProjectId"]}
        return json.dumps(items).encode()

    def send(self, contract, items, key=None, lenient=False):
        try:
            self.http.request("POST", PATHS[contract], self.encode(contract, items),
                              self.headers(contract, key, lenient))
            response = self.http.getresponse()
            return Answer(response, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise Died from error

    def send_once(self, recipe):
        return self.send(recipe.contract, recipe.items(), recipe.key, recipe.lenient)

    def send_recipe(self, recipe):
        """With its key, if it has one; a request of that key that the server thinks still runs is waited for."""
        until = time.monotonic() + PATIENCE_S
        while True:
            answer = self.send_once(recipe)
            if answer.code() not in ("idempotency-key-in-flight", "busy") or time.monotonic() > until:
                return answer
            time.sleep(0.05)

    def break_off(self, contract, items, luck):
        """Sends a part of the body, then hangs up; the next request has a new connection."""
        body = self.encode(contract, items)
        try:
            self.http.putrequest("POST", PATHS[contract])
            for name, value in self.headers(contract).items():
                self.http.putheader(name, value)
            self.http.putheader("Content-Length", str(len(body)))
            self.http.endheaders()
            self.http.send(body[:luck.randrange(len(body) - 1)])
        except (OSError, http.client.HTTPException) as error:
            raise Died from error
        finally:
            self.http.close()


def spoil(recipe, items, taken=None):
    """The same items with a last one that no server may take: a fault, or an external id that another
    customer, the first of batch `taken`, has."""
    last = recipe.item(recipe.count - 1)
    if taken is not None:
        last = taken.document(0)
        if taken.contract == CYREXA:
            last["customerName"] = "someone else"
        else:
            last["customerClaims"]["name"] = "someone else"
    else:
        last = recipe.faulty(recipe.count - 1)
    return items[:-1] + [last]


class Worker:
    """One client's life."""

    def __init__(self, client, pen, luck, name, shared_name):
        self.client, self.pen, self.luck, self.name, self.shared_name = client, pen, luck, name, shared_name
        self.made = self.shared = 0
        self.acknowledged = []  # (recipe, ids)

    def _count(self):
        low, high = self.luck.choices([(2, 60), (60, CHUNK_ITEMS), (CHUNK_ITEMS + 1, 2 * CHUNK_ITEMS)],
                                      [90, 5, 5])[0]
        return self.luck.randint(low, high)

    def _recipe(self, count):
        self.made += 1
        return Recipe(f"{self.name}.{self.made}", self.luck.choice([CYREXA, NEXERA]), count,
                      fat=self.luck.random() < 0.2, secrets=self.luck.random() < 0.3)

    def _whole(self, recipe, may_be_busy=False):
        self.pen.intent(recipe)
        answer = self.client.send_recipe(recipe) if recipe.key else self.client.send_once(recipe)
        if answer.status == 200:
            self.pen.acknowledged(recipe, answer.ids(), answer.import_id)
            self.acknowledged.append((recipe, answer.ids()))
        elif not (may_be_busy and answer.status == 409 and answer.code() == "busy"):
            self.pen.unexpected(f"batch {recipe.batch} of {recipe.count}: {answer!r}")

    def one(self):
        self._whole(self._recipe(1))

    def batch(self):
        self._whole(self._recipe(self._count()))

    def refused(self):
        """Sometimes mended and sent again: the external ids must be free."""
        recipe = self._recipe(self._count())
        others = [other for other, _ in self.acknowledged if other.contract == recipe.contract and not other.nameless]
        taken = self.luck.choice(others) if others and self.luck.random() < 0.5 else None
        self.pen.intent(recipe, "refused")
        answer = self.client.send(recipe.contract, spoil(recipe, recipe.items(), taken))
        expected = (422, "faults") if taken is None else (409, "external-id-conflict")
        if (answer.status, answer.code()) != expected:
            self.pen.unexpected(f"batch {recipe.batch} should be {expected}: {answer!r}")
        if self.luck.random() < 0.5:
            self._whole(recipe)

    def broken_off(self):
        recipe = self._recipe(self._count())
        self.pen.intent(recipe, "refused")
        self.client.break_off(recipe.contract, recipe.items(), self.luck)

    def repeated(self):
        if self.acknowledged:
            recipe, ids = self.luck.choice(self.acknowledged)
            answer = self.client.send_once(recipe)
            if answer.status != 200 or answer.ids() != ids:
                self.pen.unexpected(f"batch {recipe.batch} repeated: {answer!r}")

    def contended(self):
        """Another client makes the same batches at about the same time."""
        self.shared += 1
        luck = random.Random(f"{self.shared_name}.{self.shared}")
        recipe = Recipe(f"{self.shared_name}.{self.shared}", luck.choice([CYREXA, NEXERA]),
                        luck.choice([1, 20, 400, CHUNK_ITEMS + 200]))
        self._whole(recipe, may_be_busy=True)

    def keyed(self):
        """A key goes with it; half of such customers have nothing else that makes them the same ones."""
        nameless = self.luck.random() < 0.5
        self.made += 1
        name = f"{self.name}.{self.made}"
        self._whole(Recipe(name, CYREXA if nameless else self.luck.choice([CYREXA, NEXERA]), self._count(),
                           key=f"key-{name}", nameless=nameless))

    def stream(self):
        """A body of several chunks that takes its time; most have a key."""
        self.made += 1
        name = f"{self.name}.{self.made}"
        keyed = self.luck.random() < 0.7
        nameless = keyed and self.luck.random() < 0.5
        recipe = Recipe(name, CYREXA if nameless else self.luck.choice([CYREXA, NEXERA]),
                        self.luck.randint(CHUNK_ITEMS + 500, 5 * CHUNK_ITEMS + 500),
                        key=f"key-{name}" if keyed else None, nameless=nameless, lenient=self.luck.random() < 0.3)
        self._whole(recipe)

    def run(self, steps):
        while True:
            getattr(self, self.luck.choices(list(steps), list(steps.values()))[0])()


class Manner:
    """What clients do, by weight; how many they are, for how long at most, and over how many rounds of a store."""

    def __init__(self, steps, clients=3, load_max_s=1.5, rounds_of_a_store=(2, 7)):
        self.steps, self.clients = steps, clients
        self.load_max_s, self.rounds_of_a_store = load_max_s, rounds_of_a_store


EVERYTHING = Manner({"one": 30, "batch": 30, "refused": 10, "broken_off": 4, "repeated": 6, "contended": 10,
                     "keyed": 10})
STREAMS = Manner({"one": 20, "stream": 80}, clients=2, load_max_s=0.8, rounds_of_a_store=(2, 4))


def _live(server, path, seed, name, shared_name, steps):
    pen = Pen(path)
    worker = Worker(Client(server.host, server.port, server.credentials), pen, random.Random(seed), name, shared_name)
    try:
        worker.run(steps)
    except Died:
        pen.close()


class Load:
    """Several clients against one server, until it is dead."""

    def __init__(self, server, folder, luck, name, manner):
        context = multiprocessing.get_context("fork")
        self.paths = [folder / f"oracle.{name}.{number}" for number in range(manner.clients)]
        self.processes = [context.Process(target=_live, daemon=True, args=(
            server, path, luck.getrandbits(64), f"{name}.{number}", f"{name}.s", manner.steps))
            for number, path in enumerate(self.paths)]
        for process in self.processes:
            process.start()

    def join(self):
        """Behind the server's death. A client that did not end by itself is our mistake."""
        for process in self.processes:
            process.join(PATIENCE_S)
            if process.exitcode != 0:
                process.kill()
                raise AssertionError(f"a client ended with {process.exitcode}")
        return self.paths
