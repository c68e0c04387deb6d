"""`muster store` on a database: copies there and back, copies that break off, what status and migrate tell; and what a
server says of the store it stands on."""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

import cluster
import stores
from muster import PATIENCE_S, Server, binary, clean_environment, private, wait_until

DONE, USAGE, REFUSED, UNREACHABLE, BROKEN_OFF = 0, 1, 3, 5, 6


pytestmark = pytest.mark.skipif(not cluster.installed(), reason=cluster.MISSING)


@pytest.fixture
def database():
    """A database of its own in the session's cluster: its name."""
    name = cluster.shared().create_database()
    yield name
    cluster.shared().drop_database(name)


def url(name):
    return cluster.shared().url(name)


def store(*arguments, code=DONE, words=""):
    done = subprocess.run([binary(), "store", *map(str, arguments)], capture_output=True, timeout=PATIENCE_S,
                          check=False, env=clean_environment())
    assert done.returncode == code, done
    assert re.search(words, done.stderr.decode()), done
    return done.stdout.decode()


def copied(source, target):
    result = json.loads(store("copy", "--from", source, "--to", target, "--json", words="all of both stores compared"))
    assert result["same"]
    assert all(row["from"] == row["to"] for row in result["families"])
    return {row["family"]: row["to"]["rows"] for row in result["families"]}


def folder_server(tmp_path):
    """One with its store in its data folder, whatever the suite runs on."""
    running = Server.__new__(Server)
    stores.use(tmp_path / "data", str(tmp_path / "data/store"))
    running.__init__(tmp_path)
    return running


def fill(server):
    kept = server.keep([{"id": private(), "customerName": private(), "person": {"password": private()}}
                        for _ in range(40)])
    kept += server.keep([{"id": private(), "customerName": private()} for _ in range(3000)])
    twice = {"id": private("twice-"), "customerName": private()}
    kept += server.keep([twice])
    server.cyrexa([{**twice, "customerName": private()}], "?onExisting=update").good()
    server.cyrexa([{"id": 5}, {"id": private()}], Prefer="handling=lenient")
    keyed = {"Idempotency-Key": private()}
    body = [{"id": private()}]
    first = server.cyrexa(body, **keyed).good()
    return sorted(server.all_ids()), {one: server.customer(one)["document"] for one in kept[::500]}, (body, keyed, first)


def expect(server, seen):
    ids, documents, (body, keyed, first) = seen
    assert sorted(server.all_ids()) == ids
    assert {one: server.customer(one)["document"] for one in documents} == documents
    assert server.cyrexa(body, **keyed).good() == first
    assert sorted(server.all_ids()) == ids


def test_there_and_back(tmp_path, database):
    running = folder_server(tmp_path)
    seen = fill(running)
    running.stop()
    there = copied(running.data / "store", url(database))
    assert there["body"] == len(seen[0])
    stores.use(running.data, url(database))
    running.start()
    expect(running, seen)
    more = running.keep([{"id": private()} for _ in range(10)])
    running.stop()
    back = copied(url(database), tmp_path / "back")
    assert back["body"] == there["body"] + 10
    stores.use(running.data, str(tmp_path / "back"))
    running.start()
    assert sorted(running.all_ids()) == sorted(seen[0] + more)
    running.stop()
    verified = running.run("verify", "--data", running.data, "--store", tmp_path / "back")
    assert verified.returncode == 0, verified


def test_a_server_keeps_a_copy_away(tmp_path, database):
    running = folder_server(tmp_path)
    running.keep([{"id": private()}])
    running.stop()
    stores.use(running.data, url(database))
    running.start()
    store("copy", "--from", url(database), "--to", tmp_path / "target", code=USAGE, words="1 server has this database")
    store("copy", "--from", tmp_path / "data/store", "--to", url(database), code=USAGE, words="1 server has")
    assert not (tmp_path / "target").exists()
    running.stop()
    store("copy", "--from", tmp_path / "data/store", "--to", url(database), code=REFUSED, words="store in use")


def test_nothing_to_copy(tmp_path, database):
    store("copy", "--from", url(database), "--to", tmp_path / "target", code=USAGE, words="holds no store")
    store("migrate", "--store", url(database))
    store("copy", "--from", url(database), "--to", tmp_path / "target", code=USAGE, words="holds no store")


def refused_start(data, where, *arguments):
    done = subprocess.run([binary(), "serve", "--data", str(data), "--listen", "127.0.0.1:0", "--store", str(where),
                           *arguments], capture_output=True, timeout=PATIENCE_S, check=False, env=clean_environment())
    assert done.returncode == 1 and done.stdout == b"", done
    return done.stderr.decode()


def run_and_break(source, target, seconds, number):
    """Whether it broke off. One that is killed between its last step and its end is whole: the next one says so."""
    process = subprocess.Popen([binary(), "store", "copy", "--from", str(source), "--to", str(target)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=clean_environment())
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    words = process.communicate(timeout=PATIENCE_S)[1].decode()
    if process.returncode == REFUSED and number == signal.SIGKILL:
        assert "or a copy that was whole" in words, words
        return False
    assert process.returncode in (DONE, BROKEN_OFF, -number), words
    return process.returncode != DONE


def expect_half(server, target, look):
    """No server opens what is half; whether it is: before the mark it is nothing yet."""
    done = subprocess.run([binary(), "store", "status", "--store", str(target), "--json"], capture_output=True,
                          timeout=PATIENCE_S, check=False, env=clean_environment())
    if done.returncode == USAGE and not done.stdout:
        return False  # killed while RocksDB made the folder: what it says then differs; the next run goes on all the same
    half = json.loads(done.stdout)["halfCopy"]
    assert done.returncode == (REFUSED if half else DONE), done
    if half and look:
        assert "not whole yet" in refused_start(server.data, target)
    return half


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill", "interrupt"])
@pytest.mark.parametrize("way", ["there", "back"])
def test_a_copy_that_breaks_off_goes_on(tmp_path, database, way, number):
    running = folder_server(tmp_path)
    seen = fill(running)
    running.keep([{"id": private(), "customerName": private() * 20} for _ in range(4000)])
    ids = running.all_ids()
    running.stop()
    source, target = running.data / "store", url(database)
    if way == "back":
        copied(source, target)
        source, target = target, tmp_path / "back"
    halves = 0
    for attempt in range(40):
        if not run_and_break(source, target, 0.15 * 1.2 ** attempt, number):
            break
        if way == "there" or (target / "CURRENT").exists():
            halves += expect_half(running, target, halves == 0)
    assert halves > 0, "no run was broken off while it copied"
    stores.use(running.data, str(target))
    running.start()
    assert running.all_ids() == ids
    expect(running, (sorted(ids), seen[1], seen[2]))
    running.stop()


# ---- status and migrate ----

def test_status(tmp_path, database):
    empty = json.loads(store("status", "--store", url(database), "--json"))
    assert (empty["kind"], empty["schema"], empty["nodes"], empty["rows"]) == ("postgresql", 0, [], {})
    assert re.match(r"PostgreSQL \d", empty["engine"])
    assert "schema 1, was 0\n" == store("migrate", "--store", url(database))
    assert "nothing to do" in store("migrate", "--store", url(database))
    stores.use(tmp_path / "data", url(database))
    running = Server(tmp_path)
    running.keep([{"id": private()} for _ in range(7)])
    status = json.loads(store("status", "--store", url(database), "--json"))
    assert status["schema"] == status["schemaWanted"] and len(status["nodes"]) == 1
    assert 0 < status["nodes"][0]["left_s"] <= 15
    assert status["rows"]["body"] == {"rows": 7, "sure": "exact"}
    ready = running.call("GET", "/readyz").good()
    assert ready["store"] == "postgresql" and ready["durability"] == status["durability"]
    assert "fsync=off: NOT DURABLE" in ready["durability"], "the cluster of the tests does not sync"
    text = store("status", "--store", url(database))
    assert re.search(r"^nodes +1$", text, re.MULTILINE) and re.search(r"^  body +7$", text, re.MULTILINE)
    running.stop()
    assert json.loads(store("status", "--store", url(database), "--json"))["nodes"] == []
    entry = next(json.loads(line) for line in running.log.read_text().splitlines() if '"event":"store"' in line)
    assert entry["durability"] == ready["durability"]


def test_migrating_from_many_at_once(database):
    """Each either does it or finds it done."""
    running = [subprocess.Popen([binary(), "store", "migrate", "--store", url(database), "--json"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment())
               for _ in range(8)]
    for process in running:
        out, words = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, words
        assert json.loads(out)["to"] == json.loads(store("status", "--store", url(database), "--json"))["schemaWanted"]


@pytest.mark.parametrize("version, words", [("11.1-1", "needs Citus 11.2"), ("9.5-1", "needs Citus 11.2"), ("11.2-1", None)])
def test_a_citus_that_keeps_transactions_not_apart(tmp_path, database, version, words):
    cluster.shared().primary.rows(
        "INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion) "
        f"VALUES (99999, 'citus', 10, 11, false, '{version}')", database)
    if words is None:
        store("migrate", "--store", url(database))
    else:
        assert words in refused_start(tmp_path / "data", url(database))
        store("migrate", "--store", url(database), code=USAGE, words=words)


def test_a_newer_schema(tmp_path, database):
    store("migrate", "--store", url(database))
    cluster.shared().primary.rows("UPDATE muster_schema SET version = version + 1", database)
    status = json.loads(store("status", "--store", url(database), "--json", code=REFUSED))
    assert status["schema"] == status["schemaWanted"] + 1 and status["rows"] == {}
    assert "newer program" in refused_start(tmp_path / "data", url(database))
    store("migrate", "--store", url(database), code=USAGE, words="newer program")
    store("copy", "--from", url(database), "--to", tmp_path / "target", code=USAGE, words="newer program")


def test_a_database_that_is_not_there(tmp_path):
    nowhere = f"postgresql://muster:{private('secret')}@127.0.0.1:{cluster.free_port()}/none"
    for verb in ("status", "migrate"):
        done = subprocess.run([binary(), "store", verb, "--store", nowhere], capture_output=True, timeout=PATIENCE_S,
                              check=False, env=clean_environment())
        assert done.returncode == UNREACHABLE, done
        assert b"secret" not in done.stderr + done.stdout, "no password is told"


# ---- the root key of several nodes ----

def test_each_node_needs_the_root_key(tmp_path, database):
    (tmp_path / "first").mkdir()
    stores.use(tmp_path / "first/data", url(database))
    first = Server(tmp_path / "first")
    ids = first.keep([{"id": private()}])
    words = refused_start(tmp_path / "second", url(database))
    assert "root key that is not here" in words and "--root-key" in words
    assert not (tmp_path / "second/keys").exists(), "none was made"
    wrong = tmp_path / "wrong"
    wrong.write_bytes(os.urandom(32))
    wrong.chmod(0o400)
    assert "not the key" in refused_start(tmp_path / "second", url(database), "--root-key", f"file:{wrong}")
    (tmp_path / "third").mkdir()
    stores.use(tmp_path / "third/data", url(database))
    third = Server(tmp_path / "third", "--root-key", f"file:{first.data}/keys/root.key")
    assert not (third.data / "keys").exists()
    assert third.all_ids() == ids
    wait_until(lambda: len(json.loads(store("status", "--store", url(database), "--json"))["nodes"]) == 2, "two nodes")
    third.stop()
    first.stop()


# ---- backup ----

def test_a_dump_is_a_backup(tmp_path, database):
    """pg_dump beside a running server: restored, it is the registry at one instant, whole."""
    stores.use(tmp_path / "data", url(database))
    running = Server(tmp_path)
    seen = fill(running)
    dump = subprocess.run([cluster.programs() / "pg_dump", "--format=custom", url(database)], capture_output=True,
                          timeout=PATIENCE_S, check=True, env=clean_environment()).stdout
    running.keep([{"id": private()}])
    running.stop()
    restored = cluster.shared().create_database()
    subprocess.run([cluster.programs() / "pg_restore", "--no-owner", "--dbname", url(restored)], input=dump,
                   timeout=PATIENCE_S, check=True, env=clean_environment())
    stores.use(running.data, url(restored))
    running.start()
    expect(running, seen)
    running.stop()
    verified = running.run("verify", "--data", running.data, "--store", url(restored))
    assert verified.returncode == 0, verified
    cluster.shared().drop_database(restored)


# ---- PgBouncer in between ----

POOLER = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
POOLER_SETTINGS = """
[databases]
{name} = host=127.0.0.1 port={behind} user=muster
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
"""


@pytest.fixture
def pooler(database):
    """URL of the database through PgBouncer, which gives a server's connection away after each transaction: fewer of
    them than Muster has lanes, so that each lane meets what another has left."""
    port = cluster.free_port()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="muster-pooler-", dir="/var/tmp"))
    folder.chmod(0o755)
    settings = folder / "pgbouncer.ini"
    settings.write_text(POOLER_SETTINGS.format(name=database, behind=cluster.shared().primary.port, port=port))
    user = {} if os.geteuid() != 0 else {"user": "nobody", "extra_groups": []}
    process = subprocess.Popen([POOLER, str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **user)
    place = f"postgresql://muster@127.0.0.1:{port}/{database}"
    try:
        wait_until(lambda: subprocess.run([binary(), "store", "status", "--store", place], capture_output=True,
                                          env=clean_environment(), check=False).returncode == 0, "the pooler")
        yield place
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


@pytest.mark.skipif(not os.path.exists(POOLER), reason="PgBouncer is not installed: ./dev deps installs it")
def test_a_pooler_of_transactions(tmp_path, pooler):
    stores.use(tmp_path / "data", pooler)
    running = Server(tmp_path)
    seen = fill(running)
    secret = private()
    owner = running.keep([{"id": private(), "person": {"password": secret}}])[0]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        kept = [ids for ids in pool.map(lambda _: running.keep([{"id": private()} for _ in range(3)]), range(60))]
    assert running.verify(owner, "password", secret)
    running.stop()
    running.start()
    assert sorted(running.all_ids()) == sorted(seen[0] + [owner] + sum(kept, []))
    running.stop()
    verified = running.run("verify", "--data", running.data, "--store", pooler)
    assert verified.returncode == 0, verified
    assert copied(pooler, tmp_path / "back")["body"] == len(seen[0]) + 181
