"""Two nodes over one database: any of them answers for any import, key and token, and one customer has an id."""

import contextlib
import http.client
import json
import os
import random
import threading

import pytest

import cluster
from instance import LEVEL, SANITIZED, Reader, binary
from load import Client
from oracle import CYREXA, NEXERA, Recipe
from registry import PATIENCE_S, Campaign, Registry

CREATES = int(os.environ.get("MUSTER_POSTGRES_CREATES",
                             200000 if LEVEL in ("full", "soak") else 1000 if SANITIZED else 10000))
CONTENDERS = 4
WINDOW = 25
HEARD_S = 10  # until a node has heard of what another one took back


@contextlib.contextmanager
def nodes(folder, luck, program):
    """Two of them, over a database of their own."""
    database = cluster.shared().create_database()
    with Registry(folder / "registry", cluster.shared().url(database), luck, program) as registry:
        for number in range(2):
            registry.start_node(number)
        registry.rows = lambda sql: cluster.shared().primary.rows(sql, database)
        yield registry
    cluster.shared().drop_database(database)


@pytest.fixture(name="pair")
def two_nodes(tmp_path, luck):
    with nodes(tmp_path, luck, binary()) as pair:
        yield pair


def call(server, method, path, body=None, token=None, **headers):
    """(status, headers, document, bytes)"""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE_S)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
        connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
        answer = connection.getresponse()
        raw = answer.read()
        return answer.status, answer.headers, json.loads(raw) if raw[:1] in b"{[" and raw else None, raw
    finally:
        connection.close()


def client_of(server, credentials):
    return Client(server.host, server.port, credentials)


def test_any_node_shows_what_another_took(pair):
    one, other = pair.servers()
    recipe = Recipe("both", NEXERA, 1300)
    answer = client_of(one, one.credentials).send_once(recipe)
    assert answer.status == 200, answer
    other.credentials = one.credentials
    with Reader(other) as reader:
        assert len(reader.customers()) == 1300
        shown = reader.documents(answer.ids()[-50:])
        assert list(shown.values()) == [recipe.document(index) for index in range(1250, 1300)]
        assert reader.find(["both-7"]) == {"both-7": [answer.ids()[7]]}
        assert reader.imports()[answer.import_id]["state"] == "committed"
    pair.oracle.intend(recipe, "whole", recipe.digests())
    pair.oracle.acknowledge("both", answer.ids(), answer.import_id)
    pair.finish_check(pair.rows)


def test_a_replay_of_another_nodes_answer(pair):
    """Byte for byte; and a key in flight at one node is so at the other."""
    one, other = pair.servers()
    recipe = Recipe("keyed", CYREXA, 30, key="a-key", nameless=True)
    first = client_of(one, one.credentials).send_once(recipe)
    second = client_of(other, one.credentials).send_once(recipe)
    assert (first.status, second.status, second.replayed) == (200, 200, True)
    assert (second.raw, second.import_id) == (first.raw, first.import_id)
    changed = client_of(other, one.credentials).send(CYREXA, Recipe("else", CYREXA, 3).items(), key="a-key")
    assert (changed.status, changed.code()) == (422, "idempotency-key-reused")


def test_one_key_at_both_nodes_at_a_time(pair):
    """Whoever is first makes it; the other is told to wait, then gets the same answer."""
    for number in range(10):
        recipe = Recipe(f"race{number}", CYREXA, 1 if number % 2 else 2400, key=f"race-{number}", nameless=True)
        answers = together([lambda server=server: client_of(server, pair.server.credentials).send_recipe(recipe)
                            for server in pair.servers()])
        assert [answer.status for answer in answers] == [200, 200], answers
        assert answers[0].ids() == answers[1].ids()
    with Reader(pair.server) as reader:
        assert len(reader.customers()) == 5 * (1 + 2400)


def together(calls):
    """Answers of functions that are called at a time."""
    answers = [None] * len(calls)
    begin = threading.Barrier(len(calls))

    def one(number):
        begin.wait()
        answers[number] = calls[number]()
    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_tokens_keys_and_tenants_of_another_node(pair):
    """What one node has made is known at the other at once; what it took back, within a short time."""
    one, other = pair.servers()
    operator = one.credentials["operatorKey"]
    status, _, _, raw = call(one, "POST", "/v1/admin/tenants", {"name": "late", "createProjects": True}, operator)
    assert status == 201, raw
    status, _, made, raw = call(other, "POST", "/v1/admin/tenants/late/keys",
                                {"name": "k", "scopes": ["customers:read"]}, operator)
    assert status == 201, raw
    for server in pair.servers():
        assert call(server, "GET", "/v1/customers", token=made["key"])[0] == 200
        assert call(server, "GET", "/v1/customers", token=one.credentials["accessToken"])[0] == 200
    path = f"/v1/admin/tenants/late/keys/{made['id']}"
    assert call(one, "DELETE", path, token=operator)[0] in (200, 204)
    assert call(one, "GET", "/v1/customers", token=made["key"])[0] == 401
    cluster.wait_until(lambda: call(other, "GET", "/v1/customers", token=made["key"])[0] == 401,
                       "the other node has heard that the key is revoked", HEARD_S)


def test_an_import_is_undone_at_the_other_node(pair):
    one, other = pair.servers()
    answer = client_of(one, one.credentials).send_once(Recipe("undone", CYREXA, 40))
    status, _, made, raw = call(one, "POST", f"/v1/admin/tenants/{one.credentials['tenantId']}/keys",
                                {"name": "k", "scopes": ["imports:read", "imports:undo"]}, one.credentials["operatorKey"])
    assert status == 201, raw
    status, _, row, raw = call(other, "POST", f"/v1/imports/{answer.import_id}/undo", token=made["key"])
    assert (status, row and row["state"]) == (200, "undone"), raw
    with Reader(one) as reader:
        assert reader.customers() == []
        assert reader.imports()[answer.import_id]["state"] == "undone"
    again = client_of(one, one.credentials).send_once(Recipe("undone", CYREXA, 40))
    assert again.status == 200 and set(again.ids()).isdisjoint(answer.ids())


@pytest.mark.full  # what a dead node was hashing is free after a minute
def test_secrets_that_wait_are_hashed_by_any_node(pair):
    """Passwords in the clear are hashed behind the answer; each once, and none is left when a node is gone."""
    one, other = pair.servers()
    recipe = Recipe("secret", CYREXA, 20 * 97, secrets=True)
    answer = client_of(one, one.credentials).send_once(recipe)
    assert answer.status == 200, answer
    one.kill()
    other.credentials = one.credentials
    have = {answer.ids()[index]: recipe.password(index) for index in range(0, recipe.count, 97)}
    cluster.wait_until(lambda: pair.rows("SELECT 1 FROM muster_pending LIMIT 1") == [], "all is hashed", PATIENCE_S)
    with Reader(other) as reader:
        assert all(reader.passwords(have).values())
    pair.start_node(0)


def test_another_root_key_stops_the_start(pair, tmp_path):
    pair.stop_nodes()
    with Registry(tmp_path / "other", pair.url, pair.luck, binary()) as stranger:
        stranger.start(None)
        stranger.server.wait_dead(30)
        assert stranger.server.process.poll() not in (None, 0)
        assert "key" in stranger.server.log_tail()


# ---- contention ----


class Contender(threading.Thread):
    """Sends the same external ids as the others, in an order of its own, some with content of its own."""

    def __init__(self, pair, number, windows, begin):
        super().__init__(daemon=True)
        self.client = client_of(pair.servers()[number % 2], pair.server.credentials)
        self.number, self.windows, self.begin = number, windows, begin
        self.got, self.failed = {}, None

    def window(self, number):
        """{external id: customer id, or None}."""
        recipe = Recipe(f"w{number}", NEXERA if number % 2 else CYREXA, WINDOW)
        items = recipe.items()
        if number % 4 < 3:  # else the same content of all
            for item in items:
                claims = item["customerClaims"] if number % 2 else item
                claims["gender" if number % 2 else "customerName"] = f"of {self.number}"
        order = list(range(WINDOW))
        random.Random(f"{self.number} {number}").shuffle(order)
        answer = self.client.send(recipe.contract, [items[index] for index in order], lenient=True)
        if answer.status == 409 and answer.code() == "external-id-conflict":
            return dict.fromkeys(recipe.external_ids())
        assert answer.status == 200, answer
        entries = answer.body["customerIds"] if isinstance(answer.body, dict) else answer.body
        ids = [entry["customerId"] if isinstance(entry, dict) else entry for entry in entries]
        assert len(ids) == WINDOW, answer
        return {recipe.external_id(index): one_id for index, one_id in zip(order, ids)}

    def run(self):
        try:
            for number in range(self.windows):
                self.begin.wait(PATIENCE_S)
                self.got.update(self.window(number))
        except Exception as error:  # told by the test
            self.failed = error
            self.begin.abort()


def contend(pair, creates):
    """[what each contender got], and how many windows there were."""
    windows = creates // CONTENDERS // WINDOW
    begin = threading.Barrier(CONTENDERS)
    contenders = [Contender(pair, number, windows, begin) for number in range(CONTENDERS)]
    for contender in contenders:
        contender.start()
    for contender in contenders:
        contender.join()
    failures = [contender.failed for contender in contenders if contender.failed is not None]
    assert not failures, failures
    return [contender.got for contender in contenders], windows


def winners_of(got, windows):
    """{customer id: external id}; one of them for each external id."""
    winners, wrong = {}, []
    for number in range(windows):
        for name in Recipe(f"w{number}", CYREXA, WINDOW).external_ids():
            ids = [one[name] for one in got if one[name] is not None]
            if len(set(ids)) != 1 or len(ids) != (1 if number % 4 < 3 else CONTENDERS):
                wrong.append((name, ids))
            else:
                winners[ids[0]] = name
    assert wrong == [], f"{len(wrong)} ids without one winner"
    return winners


def test_contended_creates_have_one_winner_each(pair, note):
    got, windows = contend(pair, CREATES)
    winners, count = winners_of(got, windows), windows * WINDOW
    with Reader(pair.server) as reader:
        listed = [customer_id for customer_id, _, _ in reader.customers()]
        assert len(listed) == len(winners) == count and set(listed) == winners.keys()
        found = reader.find(winners.values())
    assert found == {name: [customer_id] for customer_id, name in winners.items()}
    assert int(pair.rows("SELECT count(*) FROM muster_body")[0][0]) == count
    pair.stop_nodes()
    note(f"contended: {CREATES} creates of {count} ids over two nodes")


def test_two_nodes_under_load(pair, luck, note):
    campaign = Campaign(pair, "n", luck.random(), batches=30 if LEVEL == "quick" else 300, sizes=(60, 30, 10))
    campaign.join()
    visible = pair.finish_check(pair.rows)
    note(f"two nodes: {visible} customers, {campaign.again()} requests sent again")
