"""The proxy that knows the protocol does to a statement what it is told, and nothing else."""

import os
import subprocess
import time

import pytest

import cluster
import query
import wire


class Bench:
    """A database, a proxy before it whose script is the test's, and a table that tells what was committed."""

    def __init__(self, database):
        self.database = database
        parts = cluster.urllib.parse.urlsplit(cluster.shared().url())
        self.proxy = wire.Proxy((parts.hostname, parts.port), self._script)
        self.action, self.match = None, "COMMIT"
        self.rows("DROP TABLE IF EXISTS t; CREATE TABLE t (n int PRIMARY KEY)")

    def _script(self, statement):
        return self.action if self.match in statement.sql else None

    def rows(self, sql):
        return cluster.shared().primary.rows(sql, self.database)

    def kept(self):
        """Once no session is under way any more."""
        cluster.wait_until(lambda: self.rows("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND "
                                             "pid <> pg_backend_pid() AND state <> 'idle'") == [], "all is decided")
        return [int(n) for (n,) in self.rows("SELECT n FROM t ORDER BY n")]

    def client(self):
        return query.Client("127.0.0.1", self.proxy.port, self.database)


@pytest.fixture(scope="module")
def database():
    name = cluster.shared().create_database()
    yield name
    cluster.shared().drop_database(name)


@pytest.fixture(name="bench")
def make_bench(database):
    bench = Bench(database)
    with bench.proxy:
        yield bench


def simple(client):
    for sql in ("BEGIN", "INSERT INTO t VALUES (1)", "COMMIT"):
        client.rows(sql)


def pipelined(client):
    client.pipeline("BEGIN", "INSERT INTO t VALUES (1)", "COMMIT")


def separate(client):
    client.pipeline("BEGIN", "INSERT INTO t VALUES (1)")
    client.pipeline("COMMIT")


WAYS = pytest.mark.parametrize("way", [simple, pipelined, separate])


@WAYS
def test_without_a_script_all_passes(bench, way):
    with bench.client() as client:
        way(client)
        assert client.value("SELECT count(*) FROM t") == "1"


@WAYS
@pytest.mark.parametrize("end", [wire.CLOSE, wire.RESET])
@pytest.mark.parametrize("where, kept", [(wire.BEFORE, [[]]), (wire.INSIDE, [[]]), (wire.SENT, [[], [1]]),
                                         (wire.DROPPED, [[1]]), (wire.TORN, [[1]]), (wire.READY, [[1]])])
def test_cut(bench, way, where, kept, end):
    bench.action = wire.Cut(where, end)
    with bench.client() as client, pytest.raises(OSError):
        way(client)
    assert bench.kept() in kept


@WAYS
def test_cut_after_all(bench, way):
    bench.action = wire.Cut(wire.AFTER)
    with bench.client() as client:
        way(client)
        with pytest.raises(OSError):
            client.rows("SELECT 1")
    assert bench.kept() == [1]


@WAYS
@pytest.mark.parametrize("where, kept", [(wire.BEFORE, []), (wire.DROPPED, [1])])
def test_silence(bench, way, where, kept):
    bench.action = wire.Cut(where, wire.SILENT)
    with bench.client() as client:
        client.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            way(client)
    assert bench.kept() == kept


@WAYS
@pytest.mark.parametrize("match", ["INSERT", "COMMIT"])
@pytest.mark.parametrize("code", ["40001", "53100"])
def test_refused(bench, way, match, code):
    """The session goes on afterwards, in step."""
    bench.action, bench.match = wire.Refuse(code), match
    with bench.client() as client:
        with pytest.raises(query.Failed) as failed:
            way(client)
        assert failed.value.code == code
        bench.action = None
        client.rows("ROLLBACK")
        assert bench.kept() == []
        way(client)
    assert bench.kept() == [1]


@WAYS
@pytest.mark.parametrize("action", [wire.Refuse("57P01", True), wire.Deny("57P01", True)])
def test_fatal(bench, way, action):
    bench.action = action
    with bench.client() as client:
        with pytest.raises(query.Failed) as failed:
            way(client)
        assert failed.value.code == "57P01"
        with pytest.raises(OSError):
            client.rows("SELECT 1")
    assert bench.kept() == ([1] if isinstance(action, wire.Deny) else [])


@WAYS
def test_denied(bench, way):
    bench.action = wire.Deny("40003")
    with bench.client() as client:
        with pytest.raises(query.Failed) as failed:
            way(client)
        assert failed.value.code == "40003"
        bench.action = None
        assert client.value("SELECT count(*) FROM t") == "1"
        assert client.pipeline("SELECT 7") == [["7"]]


@WAYS
def test_warned(bench, way):
    bench.action = wire.Warn()
    with bench.client() as client:
        way(client)
        assert [notice["C"] for notice in client.notices] == ["01000"]
    assert bench.kept() == [1]


def test_held(bench):
    bench.action, bench.match = wire.Hold(0.3), "INSERT"
    with bench.client() as client:
        began = time.monotonic()
        pipelined(client)
        assert time.monotonic() - began >= 0.3


@WAYS
def test_late(bench, way):
    """The client is gone, and the statement is executed even so."""
    bench.action = wire.Late(0.5)
    with bench.client() as client, pytest.raises(OSError):
        way(client)
    cluster.wait_until(lambda: bench.kept() == [1], "it came late", 5)


def test_only_the_statement_that_is_meant(bench):
    bench.proxy.script = lambda statement: wire.Refuse("40P01") if "(2)" in statement.sql else None
    with bench.client() as client:
        for n in (1, 3):
            client.pipeline(f"INSERT INTO t VALUES ({n})")
        with pytest.raises(query.Failed) as failed:
            client.pipeline("BEGIN", "INSERT INTO t VALUES (4)", "INSERT INTO t VALUES (2)", "COMMIT")
        assert failed.value.code == "40P01"
        client.pipeline("ROLLBACK")
        client.pipeline("INSERT INTO t VALUES (5)")
    assert bench.kept() == [1, 3, 5]


def psql(bench, *commands):
    arguments = [part for command in commands for part in ("-c", command)]
    return subprocess.run([str(cluster.programs() / "psql"), "-X", "-q", "-t", "-A", *arguments,
                           bench.proxy.url(bench.database)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"})


def test_psql(bench):
    """libpq, which asks for TLS first, and its COPY."""
    assert psql(bench, "INSERT INTO t VALUES (1)", "COPY t TO STDOUT").stdout == "1\n"
    bench.action = wire.Refuse("53300")
    done = psql(bench, "BEGIN", "INSERT INTO t VALUES (2)", "COMMIT", "SELECT count(*) FROM t")
    assert "injected by the tests" in done.stderr
    assert done.stdout == "1\n"
    bench.action = wire.Cut(wire.DROPPED)
    done = psql(bench, "BEGIN", "INSERT INTO t VALUES (3)", "COMMIT")
    assert "server closed the connection unexpectedly" in done.stderr
    assert bench.kept() == [1, 3]


def test_a_new_server_is_taken_for_the_next_connection(bench):
    """As after a failover: the clients' address stays."""
    with cluster.Cluster() as other:
        database = other.create_database(bench.database)
        bench.proxy.to = ("127.0.0.1", other.primary.port)
        bench.proxy.cut_all()
        with bench.client() as client:
            client.rows("CREATE TABLE t (n int)")
        assert other.primary.value("SELECT count(*) FROM t", database) == "0"
