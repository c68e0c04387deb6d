"""Connections that are cut: at every byte of a small request, and many at random over larger ones. Whatever the
client saw of the answer, what was acknowledged is stored, nothing is half visible, and sending it again ends with
each customer once: by its external id, or by its Idempotency-Key where it has none."""

import http.client
import random
import threading
import time

import pytest

from instance import LEVEL, SANITIZED, Reader, binary
from load import CHUNK_ITEMS, Client, Died
from oracle import CYREXA, NEXERA, Recipe
from proxy import CLOSE, RESET, SILENT, Plan, Proxy
from rounds import Store

FULL = LEVEL in ("full", "soak")
CUTS = 10000 if FULL else 60 if SANITIZED else 200
AT_A_TIME = 4
CHECK_EVERY = 1000  # cuts; the check walks the whole store
PATIENCE_OF_CLIENT_S = 0.5  # with a line that has fallen silent


@pytest.fixture
def store(tmp_path, faults_seed):
    """A server that runs, with its oracle."""
    made = Store(tmp_path / "store", binary(), ["--idle-timeout", "5"], random.Random(faults_seed), "cuts")
    made.start(None)
    made.ready()
    yield made
    made.server.kill()


class CutClient(Client):
    """A client whose next request goes through a plan."""

    def __init__(self, server, timeout=PATIENCE_OF_CLIENT_S):
        super().__init__(server.host, server.port, server.credentials)
        self.plan = Plan()
        self.proxy = Proxy(server.host, server.port, lambda: self.plan)
        self.http = http.client.HTTPConnection(self.proxy.host, self.proxy.port, timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()
        self.proxy.__exit__()

    def through(self, plan, recipe):
        """The answer, or None when none came through whole."""
        self.http.close()
        self.plan = plan
        try:
            answer = self.send_once(recipe)
            return answer if answer.raw else None  # without a body when its head was cut
        except (Died, ValueError, TimeoutError):
            return None
        finally:
            self.http.close()

    def link(self):
        return self.proxy.links[-1]


def settle(server):
    """Until the server has seen that everybody is gone: no import is open but those that may be gone on with."""
    time.sleep(0.3)
    with Reader(server) as reader:
        reader.get("/v1/imports")


# ---- at every byte ----


def sizes_of(client, recipe):
    """Bytes of the request and of its answer."""
    answer = client.through(Plan(), recipe)
    assert answer is not None and answer.status == 200, answer
    until = time.monotonic() + 5
    while client.link().down == 0 and time.monotonic() < until:
        time.sleep(0.01)
    return client.link().up, client.link().down


def moments(count, luck):
    return range(count) if FULL else sorted(luck.sample(range(count), min(count, 25)))


@pytest.mark.parametrize("contract", [CYREXA, NEXERA])
@pytest.mark.parametrize("end", [CLOSE, RESET])
def test_gone_at_every_byte_of_a_request(store, faults_seed, contract, end):
    luck = random.Random(faults_seed)
    with CutClient(store.server) as client:
        up, _ = sizes_of(client, Recipe("m0000", contract, 2))
        intend(store.oracle, Recipe("m0000", contract, 2))
        for at in moments(up, luck):
            recipe = Recipe(f"u{at:04}", contract, 2)
            intend(store.oracle, recipe, "refused")
            assert client.through(Plan(up=at, end=end), recipe) is None
    settle(store.server)
    store.check()
    store.stop()


@pytest.mark.parametrize("contract", [CYREXA, NEXERA])
def test_gone_at_every_byte_of_an_answer(store, faults_seed, contract):
    """The request was whole: it counts, whatever came back."""
    luck = random.Random(faults_seed)
    with CutClient(store.server) as client:
        _, down = sizes_of(client, Recipe("m0000", contract, 2))
        intend(store.oracle, Recipe("m0000", contract, 2))
        for at in moments(down, luck):
            recipe = Recipe(f"d{at:04}", contract, 2)
            intend(store.oracle, recipe)
            client.through(Plan(down=at, end=luck.choice([CLOSE, RESET])), recipe)
        settle(store.server)
        with Reader(store.server) as reader:
            there = {name for _, name, _ in reader.customers()}
        gone = [batch.recipe.batch for batch in store.oracle.open_ended() if not there.issuperset(batch.external_ids)]
        assert gone == [], "taken whole, and not kept"
    store.check()
    store.stop()


def intend(oracle, recipe, kind="whole"):
    oracle.intend(recipe, kind, recipe.digests())


# ---- slow, and silent ----


@pytest.mark.parametrize("plan", [Plan(segment=1), Plan(segment=7, delay_s=0.0005)], ids=["by the byte", "slowly"])
def test_a_slow_line(store, plan):
    """Slow, not gone: it is served, and so are others meanwhile."""
    with CutClient(store.server, timeout=60) as client:
        recipe, other = Recipe("slow", NEXERA, 12), Recipe("quick", CYREXA, 1)
        answers = []
        slow = threading.Thread(target=lambda: answers.append(client.through(plan, recipe)))
        slow.start()
        quick = Client(store.server.host, store.server.port, store.server.credentials).send(CYREXA, other.items())
        slow.join()
    for one, answer in ((recipe, answers[0]), (other, quick)):
        assert answer is not None and answer.status == 200, answer
        intend(store.oracle, one)
        store.oracle.acknowledge(one.batch, answer.ids(), answer.import_id)
    store.check()
    store.stop()


def test_silent_clients_are_hung_up_on(store):
    """Many lines that fall silent in the middle of a body: others are served, and the server lets go of them."""
    plan, proxies = Plan(up=900, end=SILENT), []
    try:
        for number in range(30):
            client = CutClient(store.server)
            proxies.append(client.proxy)
            recipe = Recipe(f"silent{number}", CYREXA, 8)
            intend(store.oracle, recipe, "refused")
            client.http.timeout = 0.02
            assert client.through(plan, recipe) is None
        answer = Client(store.server.host, store.server.port, store.server.credentials).send(
            CYREXA, Recipe("between", CYREXA, 3).items())
        assert answer.status == 200
        intend(store.oracle, Recipe("between", CYREXA, 3))
        store.oracle.acknowledge("between", answer.ids(), answer.import_id)
        until = time.monotonic() + 60
        while open_imports(store.server) > 0:
            assert time.monotonic() < until, "imports of silent clients are still open"
            time.sleep(0.2)
    finally:
        for proxy in proxies:
            proxy.__exit__()
    store.check()
    store.stop()


def open_imports(server):
    with Reader(server) as reader:
        return sum(1 for row in reader.imports().values() if row["state"] == "open")


# ---- many, at random ----


class Cutter(threading.Thread):
    """Sends batches over lines that break, each until it is answered; tells the campaign what it saw."""

    def __init__(self, campaign, number):
        super().__init__(daemon=True)
        self.campaign, self.name_of = campaign, f"c{number}"
        self.luck = random.Random(f"{campaign.seed} {number}")
        self.made = self.cuts = 0
        self.failed = None

    def recipe(self):
        self.made += 1
        batch = f"{self.name_of}.{self.made}"
        keyed = self.campaign.keyed and self.luck.random() < 0.6
        nameless = keyed and self.luck.random() < 0.5
        low, high = self.luck.choices([(1, 5), (5, 200), (CHUNK_ITEMS + 1, 4 * CHUNK_ITEMS)], [76, 20, 4])[0]
        return Recipe(batch, CYREXA if nameless else self.luck.choice([CYREXA, NEXERA]), self.luck.randint(low, high),
                      key=f"key-{batch}" if keyed else None, nameless=nameless)

    def plan(self, size):
        """Three in four on the way to the server, and of those some behind the body's end."""
        end = self.luck.choices([CLOSE, RESET, SILENT], [5, 4, 1])[0]
        segment = self.luck.choice([65536, 65536, 1400, 100 if size < 20000 else 4000])
        if self.luck.random() < 0.75:
            return Plan(up=self.luck.randint(0, size + 500), end=end, segment=segment)
        return Plan(down=self.luck.randint(0, 60 + size // 4), end=end, segment=segment)

    def one(self, client):
        recipe = self.recipe()
        size = len(client.encode(recipe.contract, recipe.items()))
        self.campaign.intend(recipe)
        for _ in range(self.luck.choice([1, 1, 2, 4])):
            plan = self.plan(size)
            answer = client.through(plan, recipe)
            self.cuts += client.link().ended.is_set()
            if answer is not None and self.settled(recipe, answer):
                return
        answer = client.send_again(recipe)
        if not self.settled(recipe, answer):
            raise AssertionError(f"{recipe.batch} sent again: {answer!r}")

    def settled(self, recipe, answer):
        if answer.status == 200:
            self.campaign.acknowledge(recipe, answer)
            return True
        # The request before may not have been seen to be gone yet.
        assert answer.code() in ("idempotency-key-in-flight", "busy"), f"{recipe.batch}: {answer!r}"
        return False

    def run(self):
        try:
            with PatientClient(self.campaign.store.server) as client:
                while self.cuts < self.campaign.share:
                    self.one(client)
        except Exception as error:  # told by the campaign
            self.failed = error


class PatientClient(CutClient):
    def send_again(self, recipe):
        """Over a line that holds."""
        direct = Client(self.proxy.to[0], self.proxy.to[1], self.credentials)
        try:
            return direct.send_recipe(recipe)
        finally:
            direct.http.close()


class Campaign:
    """Cutters at a time, and the one oracle of what they saw."""

    def __init__(self, store, seed, cuts, keyed):
        self.store, self.seed, self.keyed = store, seed, keyed
        self.share = cuts // AT_A_TIME
        self.lock = threading.Lock()
        self.cuts = 0

    def intend(self, recipe):
        with self.lock:
            intend(self.store.oracle, recipe)

    def acknowledge(self, recipe, answer):
        with self.lock:
            self.store.oracle.acknowledge(recipe.batch, answer.ids(), answer.import_id)

    def run(self, part):
        cutters = [Cutter(self, f"{part}-{number}") for number in range(AT_A_TIME)]
        for cutter in cutters:
            cutter.start()
        for cutter in cutters:
            cutter.join()
        self.cuts += sum(cutter.cuts for cutter in cutters)
        failures = [cutter.failed for cutter in cutters if cutter.failed is not None]
        assert not failures, failures


def cut_many(store, seed, cuts, keyed, note):
    done = 0
    for part in range(-(-cuts // CHECK_EVERY)):
        campaign = Campaign(store, f"{seed} {part}", min(CHECK_EVERY, cuts - part * CHECK_EVERY), keyed)
        campaign.run(part)
        done += campaign.cuts
        settle(store.server)
        store.check()
        store.stop()
        store.start(None)
        store.ready()
    store.check()
    acknowledged = len(store.oracle.acknowledged())
    note(f"cuts{' by key' if keyed else ''}: {done} connections, {acknowledged} batches acknowledged")
    assert done >= cuts * 0.9


def test_many_cuts_with_external_ids(store, faults_seed, note):
    cut_many(store, faults_seed, CUTS // 2, False, note)


def test_many_cuts_with_keys(store, faults_seed, note):
    """Half of these customers have no external id: only the key makes sending them again safe."""
    cut_many(store, faults_seed, CUTS // 2, True, note)
