"""`muster store`: a registry is moved, and serves from where it was moved to as if nothing had happened."""

import json
import re
import shutil
import signal
import subprocess

import pytest

from muster import PATIENCE_S, Server, binary, clean_environment, private

DONE, USAGE, REFUSED, BROKEN_OFF = 0, 1, 3, 6

pytestmark = pytest.mark.folder("copies the store of the data folder; test_store_postgres.py has the databases")


def store(*arguments, code=DONE, words="", seconds=PATIENCE_S):
    done = subprocess.run([binary(), "store", *map(str, arguments)], capture_output=True, timeout=seconds, check=False,
                          env=clean_environment())
    assert done.returncode == code, done
    assert re.search(words, done.stderr.decode()), done
    return done.stdout.decode()


def copied(source, target, **more):
    families = {row["family"]: row for row in json.loads(store("copy", "--from", source, "--to", target, "--json",
                                                               words="all of both stores compared"))["families"]}
    assert all(row["from"] == row["to"] for row in families.values())
    return {name: row["to"]["rows"] for name, row in families.items() if row["to"]["rows"] > 0}


def fill(server):
    """One of everything that a store can hold at rest: what is committed, updated, refused, undone, kept open."""
    kept = server.keep([{"id": private(), "customerName": private(), "email": f"{private()}@example.org"}
                        for _ in range(300)])
    twice = {"id": private("twice-"), "customerName": private()}
    server.keep([twice])
    server.cyrexa([{**twice, "customerName": private()}], "?onExisting=update").good()
    secret = private()
    owner = server.keep([{"id": private(), "person": {"password": secret}}])[0]
    server.cyrexa([{"id": 5}, {"id": private()}], Prefer="handling=lenient")
    undone = server.cyrexa([{"id": private()}]).headers["Muster-Import"]
    server.call("POST", f"/v1/imports/{undone}/undo", b"", server.bearer())
    keyed = {"Idempotency-Key": private()}
    body = [{"id": private()}]
    first = server.cyrexa(body, **keyed).good()
    return {"ids": sorted(server.all_ids()), "kept": kept, "owner": (owner, secret), "keyed": (body, keyed, first),
            "customers": {one: server.customer(one) for one in kept[::50]},
            "imports": server.imports()}


def expect(server, seen):
    """The same registry, to every reader, and a retry still is one."""
    assert sorted(server.all_ids()) == seen["ids"]
    assert server.imports() == seen["imports"]
    for one, customer in seen["customers"].items():
        assert server.customer(one) == customer
    owner, secret = seen["owner"]
    assert server.verify(owner, "password", secret) and not server.verify(owner, "password", "x" + secret)
    body, keyed, first = seen["keyed"]
    assert server.cyrexa(body, **keyed).good() == first
    assert sorted(server.all_ids()) == seen["ids"]


def serve_from(server, folder):
    """Puts the store of another folder into the place of the server's own."""
    own = server.data / "store"
    own.rename(server.data / "former")
    folder.rename(own)
    server.start()


def test_a_copy_serves_as_its_source_did(own_server, tmp_path):
    seen = fill(own_server)
    own_server.stop()
    rows = copied(own_server.data / "store", tmp_path / "target")
    assert rows["body"] >= 300 and rows["meta"] > 0 and rows["request"] > 0
    serve_from(own_server, tmp_path / "target")
    expect(own_server, seen)
    assert len(own_server.keep([{"id": private()}])) == 1


def test_there_and_back_again(own_server, tmp_path):
    seen = fill(own_server)
    own_server.stop()
    there = copied(own_server.data / "store", tmp_path / "there")
    assert copied(tmp_path / "there", tmp_path / "back") == there
    serve_from(own_server, tmp_path / "back")
    expect(own_server, seen)


def test_a_backup_of_the_folder(own_server, tmp_path):
    """As docs/stores.md says: the folder of a stopped server, the root key from elsewhere."""
    seen = fill(own_server)
    own_server.stop()
    shutil.copytree(own_server.data / "store", tmp_path / "backup")
    key = (own_server.data / "keys/root.key").read_bytes()
    own_server.start()
    own_server.keep([{"id": private()}])
    own_server.stop()
    lost = own_server.data.rename(tmp_path / "lost")
    (own_server.data / "keys").mkdir(parents=True)
    (own_server.data / "keys/root.key").write_bytes(key)
    (own_server.data / "keys/root.key").chmod(0o400)
    shutil.copytree(tmp_path / "backup", own_server.data / "store")
    shutil.copy(lost / "operator.key", own_server.data)
    assert own_server.run("verify", "--data", own_server.data).returncode == 0
    own_server.start()
    expect(own_server, seen)


def test_text_names_each_family(own_server, tmp_path):
    own_server.stop()
    text = store("copy", "--from", own_server.data / "store", "--to", tmp_path / "target")
    assert re.search(r"^meta +\d+ +\d+ +[0-9a-f]{32} +same$", text, re.MULTILINE)
    assert re.search(r"^body +0 +0 +0{32} +same$", text, re.MULTILINE)


def test_a_server_keeps_a_copy_away(own_server, tmp_path):
    store("copy", "--from", own_server.data / "store", "--to", tmp_path / "target", code=USAGE, words="(?i)lock")
    assert not (tmp_path / "target").exists()
    assert len(own_server.keep([{}])) == 1


def test_a_target_in_use(own_server, tmp_path):
    """Two registries: neither is touched."""
    (tmp_path / "other").mkdir()
    other = Server(tmp_path / "other")
    ids = [server.keep([{"id": private()}]) for server in (own_server, other)]
    for server in (own_server, other):
        server.stop()
    store("copy", "--from", own_server.data / "store", "--to", other.data / "store", code=REFUSED, words="in use")
    for server, one in zip((own_server, other), ids):
        server.start()
        assert server.all_ids() == one
    other.end()


def test_status_beside_a_server(own_server, tmp_path):
    own_server.keep([{"id": private()} for _ in range(9)])
    status = json.loads(store("status", "--store", own_server.data / "store", "--json"))
    assert (status["kind"], status["nodes"], status["halfCopy"]) == ("rocksdb", [], False)
    assert status["schema"] == status["schemaWanted"]
    assert status["rows"]["body"] == {"rows": 9, "sure": "exact"}
    ready = own_server.call("GET", "/readyz").good()
    assert (ready["store"], ready["durability"]) == ("rocksdb", status["durability"])
    assert re.search(r"^  body +9$", store("status", "--store", own_server.data / "store"), re.MULTILINE)
    assert "nothing to do" in store("migrate", "--store", own_server.data / "store")
    store("status", "--store", own_server.data, code=USAGE, words="did you mean")
    store("status", "--store", tmp_path / "nothing", code=USAGE, words="holds no store")
    assert not (tmp_path / "nothing").exists()
    assert len(own_server.keep([{}])) == 1


@pytest.mark.parametrize("arguments, words", [
    ([], "usage"), (["status"], "--store"), (["status", "--store", "a", "--from", "b"], "--store"), (["copy"], "--from"), (["copy", "--from", "a"], "--to"), (["cpoy"], "did you mean copy"),
    (["copy", "--from", "nowhere", "--to", "new"], "holds no store"), (["copy", "more"], "usage")])
def test_wrong_usage(arguments, words):
    store(*arguments, code=USAGE, words=words)


def started_copy(source, target):
    return subprocess.Popen([binary(), "store", "copy", "--from", str(source), "--to", str(target)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=clean_environment())


@pytest.mark.parametrize("number, code", [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, BROKEN_OFF)],
                         ids=["kill", "interrupt"])
def test_a_copy_that_breaks_off_goes_on(own_server, tmp_path, number, code):
    """Broken off again and again, each time a little later, until one comes through."""
    for _ in range(6):
        own_server.keep([{"id": private(), "customerName": private() * 20} for _ in range(5000)])
    ids = own_server.all_ids()
    own_server.stop()
    target, broken = tmp_path / "target", 0
    for attempt in range(40):
        process = started_copy(own_server.data / "store", target)
        try:
            process.wait(0.1 * 1.3 ** attempt)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        words = process.communicate(timeout=PATIENCE_S)[1].decode()
        if process.returncode == 0:
            break
        assert process.returncode == code or (number == signal.SIGINT and process.returncode == -number), words
        if (target / "CURRENT").exists():
            broken += expect_half(own_server, target)
    assert process.returncode == 0 and broken > 0
    serve_from(own_server, target)
    assert own_server.all_ids() == ids


def expect_half(server, target):
    """A server refuses it, unless the break came before the mark, when it is nothing yet. How many refused."""
    place = server.data / "half"
    target.rename(place)
    done = subprocess.run([binary(), "store", "copy", "--from", str(place), "--to", str(server.data / "elsewhere")],
                          capture_output=True, timeout=PATIENCE_S, env=clean_environment(), check=False)
    place.rename(target)
    if done.returncode == 0:
        assert b"copied, 0 rows" in done.stderr
        return 0
    assert b"not whole yet" in done.stderr
    return 1
