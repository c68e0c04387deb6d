"""What nodes over one database hear of each other: tenants, keys and limits that were changed elsewhere, imports that
are aborted elsewhere, and who is there. What is promised within a second is asked for once, a second later."""

import http.client
import json
import os
import shutil
import time

import cluster
import pytest
import stores
import wire
from instance import LEVEL, Reader, Server, StartFailed, binary
from load import PATHS
from oracle import CYREXA, NEXERA, Recipe
from registry import ARGUMENTS
from test_postgres_cuts import Line
from test_postgres_nodes import call, client_of, nodes, together

HEARD_S = 1.0  # docs/tokens.md
STARTS = int(os.environ.get("MUSTER_POSTGRES_STARTS", 3 if LEVEL == "quick" else 10))


@pytest.fixture(name="pair")
def two_nodes(tmp_path, luck):
    with nodes(tmp_path, luck, binary()) as pair:
        yield pair


def made(server, operator, path, **body):
    status, _, document, raw = call(server, "POST", path, body, operator)
    assert status == 201, raw
    return document


def read(server, token):
    return call(server, "GET", "/v1/customers", token=token)[0]


def test_a_revoke_counts_everywhere_a_second_later(pair):
    one, other = pair.servers()
    operator = one.credentials["operatorKey"]
    for number in range(5):
        name = f"t{number}"
        made(one, operator, "/v1/admin/tenants", name=name, createProjects=True)
        key = made(other, operator, f"/v1/admin/tenants/{name}/keys", name="k", scopes=["customers:read"])
        stays = made(other, operator, f"/v1/admin/tenants/{name}/keys", name="s", scopes=["customers:read"])
        for server in pair.servers():
            assert read(server, key["key"]) == read(server, stays["key"]) == 200
        assert call(one, "DELETE", f"/v1/admin/tenants/{name}/keys/{key['id']}", token=operator)[0] in (200, 204)
        assert read(one, key["key"]) == 401
        time.sleep(HEARD_S)
        assert (read(other, key["key"]), read(other, stays["key"])) == (401, 200)
        assert call(other, "DELETE", f"/v1/admin/tenants/{name}", token=operator)[0] in (200, 204)
        assert read(other, stays["key"]) == 401
        time.sleep(HEARD_S)
        assert read(one, stays["key"]) == 401


def test_limits_and_projects_of_another_node(pair):
    one, other = pair.servers()
    operator, tenant = one.credentials["operatorKey"], one.credentials["tenantId"]
    path = f"/v1/admin/tenants/{tenant}"
    assert client_of(other, one.credentials).send_once(Recipe("before", CYREXA, 3)).status == 200
    assert call(one, "PATCH", path, {"itemsPerRequest": 2}, operator)[0] == 200
    time.sleep(HEARD_S)
    assert client_of(other, one.credentials).send_once(Recipe("much", CYREXA, 3)).status == 413
    assert call(other, "PATCH", path, {"itemsPerRequest": None}, operator)[0] == 200
    time.sleep(HEARD_S)
    assert client_of(one, one.credentials).send_once(Recipe("again", CYREXA, 3)).status == 200
    assert call(one, "DELETE", f"{path}/projects/{one.credentials['cmsProjectId']}", token=operator)[0] in (200, 204)
    time.sleep(HEARD_S)
    answer = client_of(other, one.credentials).send_once(Recipe("gone", NEXERA, 3))
    assert answer.status >= 400, answer


def test_no_change_is_lost_when_two_nodes_make_one(pair):
    """A revoke and a new limit of one tenant at the same time: the tenant is revoked."""
    one, other = pair.servers()
    operator = one.credentials["operatorKey"]
    for number in range(20):
        path = f"/v1/admin/tenants/both{number}"
        made(one, operator, "/v1/admin/tenants", name=f"both{number}")
        key = made(one, operator, f"{path}/keys", name="k", scopes=["customers:read"])
        revoked, limited = together([lambda: call(one, "DELETE", path, token=operator)[0],
                                     lambda: call(other, "PATCH", path, {"itemsPerDay": 5}, operator)[0]])
        assert revoked in (200, 204) and limited in (200, 404)
        assert read(one, key["key"]) == 401
        rows = {row["name"]: row for row in call(other, "GET", "/v1/admin/tenants", token=operator)[2]["tenants"]}
        assert rows[f"both{number}"]["revoked"] is True


def test_nothing_remembered_counts_while_the_database_is_away(tmp_path, luck):
    with Line(tmp_path, luck, binary(), ["--store-patience", "2"]) as line:
        server = line.registry.server
        token = server.credentials["accessToken"]
        assert read(server, token) == 200
        line.proxy.script = lambda statement: wire.Cut(wire.BEFORE, wire.CLOSE)
        time.sleep(HEARD_S)
        status, headers, document, raw = call(server, "GET", "/v1/customers", token=token)
        assert (status, document["code"]) == (503, "storage-away"), raw
        assert int(headers["Retry-After"]) > 0
        line.proxy.script = lambda statement: None
        cluster.wait_until(lambda: read(server, token) == 200, "the database is back")


class Slow:
    """A body that is on its way: so many items of it have been sent."""

    def __init__(self, server, credentials, recipe):
        self.client = client_of(server, credentials)
        self.body = self.client.encode(recipe.contract, recipe.items())
        headers = self.client.headers(recipe.contract, recipe.key)
        self.http = http.client.HTTPConnection(server.host, server.port, timeout=60)
        self.http.putrequest("POST", PATHS[recipe.contract])
        for name, value in headers.items():
            self.http.putheader(name, value)
        self.http.putheader("Content-Length", str(len(self.body)))
        self.http.endheaders()
        self.sent = 0

    def send(self, size):
        self.http.send(self.body[self.sent:self.sent + size])
        self.sent += size

    def end(self):
        try:
            self.http.send(self.body[self.sent:])
        except OSError:
            pass  # it is refused: the answer may come before the end
        answer = self.http.getresponse()
        return answer.status, json.loads(answer.read())


def open_import(server):
    """The one that is under way, as the server shows it."""
    with Reader(server) as reader:
        return next((row for row in reader.imports().values() if row["state"] == "open"), None)


def test_a_key_in_flight_and_an_abort_at_the_other_node(pair):
    one, other = pair.servers()
    other.credentials = one.credentials
    recipe = Recipe("slow", CYREXA, 6000, key="slow-key")
    slow = Slow(one, one.credentials, recipe)
    slow.send(len(slow.body) // 2)
    row = cluster.wait_until(lambda: open_import(other), "the other node shows it")
    again = client_of(other, one.credentials).send_once(recipe)
    assert (again.status, again.code()) == (409, "idempotency-key-in-flight"), again
    made_key = made(one, one.credentials["operatorKey"], f"/v1/admin/tenants/{one.credentials['tenantId']}/keys",
                    name="k", scopes=["imports:read", "imports:undo", "customers:create"])["key"]
    status, _, ended, raw = call(other, "POST", f"/v1/imports/{row['id']}/abort", token=made_key)
    assert (status, ended["state"]) == (200, "aborted"), raw
    status, document = slow.end()
    assert (status, document["code"]) == (409, "import-aborted"), document
    for server in pair.servers():
        with Reader(server) as reader:
            assert reader.customers() == []
            assert reader.imports()[row["id"]]["state"] == "aborted"
    whole = client_of(other, one.credentials).send_recipe(recipe)
    assert whole.status == 200 and len(whole.ids()) == 6000


# ---- who is there ----


def test_four_servers_start_at_once_on_an_empty_database(tmp_path, pair):
    """The first start of all: tables, check value, tenant are made once, and each node takes what the others made."""
    keys = pair.server.data / "keys"
    for number in range(STARTS):
        database = cluster.shared().create_database()
        folders = [tmp_path / f"start{number}-{node}" for node in range(4)]
        for folder in folders:
            folder.mkdir(mode=0o700)
            shutil.copytree(keys, folder / "keys")
            stores.use(folder, cluster.shared().url(database))
        servers = [Server(binary(), folder, tmp_path / f"{folder.name}.log", ARGUMENTS) for folder in folders]
        try:
            for server in servers:
                server.wait_ready()
            for server in servers:
                for asked in servers:
                    assert read(asked, server.credentials["accessToken"]) == 200
            tenants = [call(server, "GET", "/v1/admin/tenants", token=next(
                one.credentials["operatorKey"] for one in servers if one.credentials["operatorKey"]))[2]["tenants"]
                for server in servers]
            assert all([row["name"] for row in rows] == ["demo"] for rows in tenants)
            assert len({rows[0]["id"] for rows in tenants}) == 1
            answers = together([lambda server=server: client_of(server, server.credentials).send_recipe(
                Recipe("same", CYREXA, 20)) for server in servers])
            assert [answer.status for answer in answers] == [200] * 4, answers
            assert len({tuple(answer.ids()) for answer in answers}) == 1
            assert sum(bool(server.credentials["operatorKey"]) for server in servers) == 1
            rows = cluster.shared().primary.rows("SELECT count(*) FROM muster_node", database)
            assert int(rows[0][0]) == 4
        finally:
            for server in servers:
                server.kill()
            for folder in folders:
                stores.forget(folder)
        cluster.shared().drop_database(database)


def test_a_copied_folder_is_another_server(pair, tmp_path):
    """And a folder has one server: a second over it does not start, one after a kill does at once."""
    one = pair.server
    second = Server(pair.program, pair.data, tmp_path / "second.log", ARGUMENTS)
    with pytest.raises(StartFailed, match="another server runs over the folder"):
        second.wait_ready()
    copied = tmp_path / "copied"
    shutil.copytree(pair.data, copied)
    stores.use(copied, pair.url)
    server = Server(pair.program, copied, tmp_path / "copied.log", ARGUMENTS)
    try:
        server.wait_ready()
        assert int(pair.rows("SELECT count(*) FROM muster_node WHERE until > now()")[0][0]) == 3
        recipe = Recipe("slow", CYREXA, 6000, key="slow-key")
        slow = Slow(one, server.credentials, recipe)  # the copy has revoked those of the demo tenant
        slow.send(len(slow.body) // 2)
        cluster.wait_until(lambda: open_import(server), "the copy shows it")
        assert client_of(server, server.credentials).send_once(recipe).code() == "idempotency-key-in-flight"
        status, document = slow.end()
        assert status == 200, document
    finally:
        server.kill()
        stores.forget(copied)
    one.kill()
    begun = time.monotonic()
    pair.start_node(0)
    assert time.monotonic() - begun < 10, "a restart waited for its own lease"
