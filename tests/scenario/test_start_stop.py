"""Starting and stopping: what is under way is finished, what is wrong stops the start and says why."""

import concurrent.futures
import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

from muster import Connection, PATIENCE_S, ROOT, Server, binary, clean_environment, free_port, head, private, stores, wait_until

CYREXA = "/customer/1.0.0/createBulk"


def refused_start(data, *arguments, seconds=10, **environment):
    """A start that must not succeed; its words."""
    done = subprocess.run([binary(), "serve", "--data", str(data), "--listen", "127.0.0.1:0", *stores.arguments(data),
                           *map(str, arguments)], capture_output=True, timeout=seconds,
                          env=clean_environment(**environment), check=False)
    assert done.returncode == 1, done
    assert done.stdout == b"", "it must not say that it is ready"
    words = done.stderr.decode()
    assert re.search("^muster: ", words, re.MULTILINE) or '"level":"error"' in words, words
    return words


# ---- a port for watchers ----

def test_a_port_for_watchers(tmp_path):
    """It says how the server is, as the other port does, and has nothing else."""
    port = free_port()
    running = Server(tmp_path, "--health-listen", f"127.0.0.1:{port}")
    with Connection("127.0.0.1", port) as watcher:
        assert watcher.call("GET", "/healthz").good() == {"status": "alive"}
        assert watcher.call("GET", "/readyz").good() == running.call("GET", "/readyz").good()
        assert watcher.call("HEAD", "/readyz").status == 200
        watcher.call("GET", "/v1/customers", headers=running.bearer()).problem(404, "not-found")
        watcher.call("POST", CYREXA, b"[{}]", running.cyrexa_headers()).problem(404, "not-found")
    assert running.all_ids() == []
    running.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_port_for_watchers_that_is_taken(own_server, tmp_path):
    words = refused_start(tmp_path / "second", "--health-listen", f"127.0.0.1:{own_server.port}")
    assert str(own_server.port) in words and "in use" in words


# ---- stopping ----

def test_a_stop_finishes_what_is_under_way(own_server):
    items = [{"id": private()} for _ in range(2500)]
    body = json.dumps(items).encode()
    wire = own_server.wire()
    wire.send(head("POST", CYREXA, own_server.cyrexa_headers(**{"Content-Length": str(len(body))})) + body[:-1])
    wait_until(lambda: own_server.imports() and own_server.imports()[0]["state"] == "open", "the import's row")
    process, own_server.process = own_server.process, None
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert process.poll() is None, "it waits for the request"
    wire.send(b"]")
    answer = wire.read()
    wire.socket.close()
    ids = [entry["customerId"] for entry in answer.good()["customerIds"]]
    assert answer.headers["Connection"] == "close"
    assert process.wait(PATIENCE_S) == 0
    process.stdout.close()
    own_server.start()
    assert own_server.all_ids() == sorted(ids)


def test_a_stop_under_load_keeps_what_was_answered(own_server):
    answered, stopping = [], threading.Event()

    def send():
        while not stopping.is_set():
            item = {"id": private()}
            try:
                answer = own_server.cyrexa([item])
            except (OSError, ValueError, EOFError, http.client.HTTPException):
                return
            if answer.status == 200:
                answered.append((item["id"], answer.json["customerIds"][0]["customerId"]))
            else:
                assert answer.json["code"] == "overloaded" and answer.headers["Retry-After"]
                return

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for _ in range(16):
            pool.submit(send)
        wait_until(lambda: len(answered) > 300, "some load")
        own_server.stop()
        stopping.set()
    own_server.start()
    kept = set(own_server.all_ids())
    assert {one for _, one in answered} <= kept
    for name, one in answered[::50] + answered[-16:]:
        assert own_server.find(externalId=name) == [one]


def test_a_stop_does_not_wait_for_idle_connections(own_server):
    wires = [own_server.wire() for _ in range(10)]
    for wire in wires[:5]:
        wire.send(head("GET", "/healthz", {}))
        wire.read().good()
    started = time.monotonic()
    own_server.stop()
    assert time.monotonic() - started < 10
    for wire in wires:
        wire.socket.close()


def test_a_stop_that_waits_too_long_ends(tmp_path):
    running = Server(tmp_path, "--stop-timeout", "1")
    with running.wire() as wire:
        wire.send(head("POST", CYREXA, running.cyrexa_headers(**{"Content-Length": "1000"})) + b"[")
        wait_until(lambda: running.call("GET", "/healthz").status == 200, "the server")
        process, running.process = running.process, None
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 1, "requests were under way: that is no clean stop"
        process.stdout.close()
    running.start()
    assert running.all_ids() == []
    running.end()


def test_interrupt_is_a_stop_too(own_server):
    process, own_server.process = own_server.process, None
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 0
    process.stdout.close()


def test_a_kill_loses_nothing_that_was_answered(own_server):
    ids = own_server.keep([{"id": private()} for _ in range(1500)])
    wire = own_server.wire()
    body = json.dumps([{"id": private()} for _ in range(3000)]).encode()
    wire.send(head("POST", CYREXA, own_server.cyrexa_headers(**{"Content-Length": str(len(body))})) + body[:-1])
    wait_until(lambda: own_server.imports()[0]["state"] == "open", "the import's row")
    open_import = own_server.imports()[0]["id"]
    own_server.process.kill()
    own_server.process.wait()
    own_server.process.stdout.close()
    wire.socket.close()
    own_server.start()
    assert own_server.all_ids() == sorted(ids)
    assert own_server.get(f"/v1/imports/{open_import}").good()["state"] == "aborted"


# ---- the data folder ----

@pytest.mark.folder("it looks for the store")
def test_modes_of_the_data_folder(own_server):
    modes = {name: stat.S_IMODE((own_server.data / name).stat().st_mode)
             for name in (".", "keys", "keys/root.key", "operator.key", "demo.json", "store")}
    assert modes == {".": 0o700, "keys": 0o700, "keys/root.key": 0o400, "operator.key": 0o400, "demo.json": 0o600,
                     "store": 0o700}


def test_a_second_server_on_the_same_data(own_server):
    words = refused_start(own_server.data)
    assert ("lock" in words.lower() or "another server" in words) and str(own_server.data) in words
    assert len(own_server.keep([{}])) == 1


def test_a_port_that_is_taken(own_server, tmp_path):
    words = refused_start(tmp_path / "second", "--listen", f"127.0.0.1:{own_server.port}")
    assert str(own_server.port) in words and "in use" in words


@pytest.mark.parametrize("listen", ["nonsense", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", ":80x", "256.1.1.1:80"])
def test_an_address_that_is_none(tmp_path, listen):
    assert listen in refused_start(tmp_path / "data", "--listen", listen)


def damaged_key(own_server, content):
    own_server.stop()
    path = own_server.data / "keys/root.key"
    good = path.read_bytes()
    path.chmod(0o600)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    words = refused_start(own_server.data)
    path.write_bytes(good)
    path.chmod(0o400)
    return words


@pytest.mark.parametrize("content, word", [(os.urandom(32), "key"), (b"short", "32 bytes"), (b"", "32 bytes"),
                                           (b"x" * 33, "32 bytes"), (None, "missing|not here")],
                         ids=["another", "short", "empty", "long", "missing"])
def test_a_wrong_root_key_stops_the_start(own_server, content, word):
    ids = own_server.keep([{"customerName": private()}])
    words = damaged_key(own_server, content)
    assert re.search(word, words)
    own_server.start()
    assert own_server.all_ids() == ids, "the right key opens it again"
    own_server.customer(ids[0])


def test_a_root_key_that_others_may_read_stops_the_start(own_server):
    own_server.stop()
    path = own_server.data / "keys/root.key"
    path.chmod(0o444)
    assert "open to others (mode 444)" in refused_start(own_server.data)
    path.chmod(0o400)
    own_server.start()


def hand_over(tmp_path, key, how):
    """The arguments and environment of a start that gets this key in one of the documented ways."""
    path = tmp_path / "handed.key"
    path.unlink(missing_ok=True)
    path.write_text(key.hex() + "\n")
    path.chmod(0o400)
    return {"file": (f"file:{path}", {}), "credential": ("credential:handed.key", {"CREDENTIALS_DIRECTORY": str(tmp_path)}),
            "command": (f"command:/bin/cat {path}", {})}[how]


@pytest.mark.folder("a lost key is told by the store beside it; test_store_postgres.py has the databases")
@pytest.mark.parametrize("how", ["file", "credential", "command"])
def test_a_root_key_that_is_handed_over(tmp_path, how):
    key = os.urandom(32)
    source, environment = hand_over(tmp_path, key, how)
    running = Server(tmp_path, "--root-key", source, environment=environment)
    running.secrets.add(key.hex())
    ids = running.keep([{"customerName": private()}])
    assert not (running.data / "keys").exists(), "nothing of the key stays in the data folder"
    running.stop()
    assert "not the key" in refused_start(running.data, "--root-key", hand_over(tmp_path, os.urandom(32), how)[0],
                                          **environment)
    assert re.search("put the key back|put it into", refused_start(running.data))
    hand_over(tmp_path, key, how)
    running.start()
    assert running.all_ids() == ids
    running.customer(ids[0])
    running.end()


def test_a_command_for_the_root_key_that_fails(tmp_path):
    script = tmp_path / "fails"
    script.write_text(f"#!/bin/sh\necho {'ab' * 32}\necho the vault is sealed >&2\nexit 7\n")
    script.chmod(0o700)
    words = refused_start(tmp_path / "data", "--root-key", f"command:{script}")
    assert "status 7: the vault is sealed" in words and "abab" not in words
    assert stores.IS_POSTGRES or not (tmp_path / "data").exists(), "with a database it has the node's name"


def test_a_folder_that_can_not_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    assert "file" in refused_start(tmp_path / "file" / "data")


def test_operator_key_file(own_server):
    assert (own_server.data / "operator.key").read_text().strip() == own_server.credentials["operatorKey"]


def test_without_demo(tmp_path):
    port = free_port()
    data = tmp_path / "data"
    process = subprocess.Popen([binary(), "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}",
                                *stores.arguments(data)],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=clean_environment())
    try:
        assert process.stdout.readline() == f"muster is ready at http://127.0.0.1:{port}\n".encode()
        assert not (data / "demo.json").exists()
        done = subprocess.run([binary(), "tenant", "list", "--json", "--data", str(data), "--server",
                               f"http://127.0.0.1:{port}"], capture_output=True, env=clean_environment(), check=True)
        assert json.loads(done.stdout) == {"tenants": []}
    finally:
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
        process.stdout.close()


# ---- contracts ----

def contracts_in(tmp_path, **changes):
    folder = tmp_path / "contracts"
    folder.mkdir()
    for name in ("cyrexa", "nexera", "muster"):
        text = (ROOT / f"contracts/{name}.json").read_text()
        old, new = changes.get(name, ("", ""))
        assert old in text
        (folder / f"{name}.json").write_text(text.replace(old, new, 1) if old else text)
    return folder


BROKEN = {
    "an unknown keyword": ('"maxLength": 262144', '"maxLenght": 262144', ["nexera.json", "maxLenght"]),
    "an unknown annotation": ('"x-identifier": "did"', '"x-identifer": "did"', ["nexera.json", "x-identifer"]),
    "an unknown kind": ('"x-identifier": "did"', '"x-identifier": "passport"', ["nexera.json", "passport"]),
    "an unknown type": ('"type": "object"', '"type": "objekt"', ["nexera.json", "type"]),
    "a reference to nothing": ('"#/$defs/wallet"', '"#/$defs/walet"', ["nexera.json", "customerWallet/$ref"]),
    "no JSON": ('"number": 2,', '"number": 2', ["nexera.json"]),
    "a number of another": ('"number": 2', '"number": 1', ["same number"]),
    "a path of another": ('"path": "/customers/batch"', '"path": "/v1/customers"', ["same number, name or path"]),
}


@pytest.mark.parametrize("old, new, words", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_contract_stops_the_start(tmp_path, old, new, words):
    folder = contracts_in(tmp_path, nexera=(old, new))
    said = refused_start(tmp_path / "data", "--contracts", folder)
    for word in words:
        assert word in said


def test_no_contracts(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "no contract file" in refused_start(tmp_path / "data", "--contracts", tmp_path / "empty")
    assert "nowhere" in refused_start(tmp_path / "data", "--contracts", tmp_path / "nowhere")


def test_a_contract_of_ones_own(tmp_path):
    folder = contracts_in(tmp_path)
    (folder / "own.json").write_text(json.dumps({
        "number": 77, "name": "own", "title": "Own", "path": "/own/people", "items": "/people",
        "reply": {"made": ["$id"]},
        "envelope": {"type": "object", "required": ["people"], "properties": {"people": {"type": "array"}}},
        "item": {"type": "object", "required": ["key"], "properties": {
            "key": {"type": "string", "x-class": "personal", "x-identifier": "external-id"},
            "mail": {"type": "string", "format": "email", "x-class": "personal", "x-identifier": "email"},
            "word": {"type": "string", "x-class": "secret", "x-secret": "password"}}}}))
    running = Server(tmp_path, "--contracts", folder)
    headers = running.bearer(**{"Content-Type": "application/json"})
    item = {"key": private(), "mail": f"{private()}@example.org", "word": private()}
    made = running.call("POST", "/own/people", json.dumps({"people": [item]}).encode(), headers).good()["made"]
    assert running.find(email=item["mail"]) == made
    assert running.customer(made[0])["document"] == {"key": item["key"], "mail": item["mail"]}
    assert running.verify(made[0], "password", item["word"])
    running.call("POST", "/own/people", b'{"people":[{}]}', headers).problem(422, "faults")
    assert len(running.keep([{}])) == 1
    running.end()


# ---- configuration ----

@pytest.mark.parametrize("environment, words", [
    ({"MUSTER_LISTNE": "x"}, 'did you mean "listen"'), ({"MUSTER_HASH_THREADS": "many"}, "whole number"),
    ({"MUSTER_DEMO": "perhaps"}, "true or false")])
def test_environment_that_is_wrong(tmp_path, environment, words):
    said = refused_start(tmp_path / "data", **environment)
    assert words in said and "environment" in said


def test_environment_is_used_and_weaker_than_flags(tmp_path):
    running = Server(tmp_path, environment={"MUSTER_DATA": str(tmp_path / "other"), "MUSTER_URL": "https://named.example"},
                     listen=f"127.0.0.1:{free_port()}")
    assert running.url == "https://named.example"
    assert not (tmp_path / "other").exists()
    running.end()


CLIENTS = ["MUSTER_SERVER", "MUSTER_TOKEN", "MUSTER_TENANT", "MUSTER_TENANT_TOKEN", "MUSTER_PROJECT",
           "MUSTER_OPERATOR_KEY", "MUSTER_CREDENTIALS"]


@pytest.mark.parametrize("name", CLIENTS)
def test_variables_of_the_client_commands_are_no_parameters(tmp_path, name):
    """One shell may run the server and its client."""
    done = subprocess.run([binary(), "config", "check"], capture_output=True, check=False,
                          env=clean_environment(**{name: "x"}), cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_configuration_file(tmp_path):
    path = tmp_path / "muster.conf"
    path.write_text("# One server.\nidle_timeout = 7\nurl = https://file.example\n")
    running = Server(tmp_path, "--config", str(path), listen=f"127.0.0.1:{free_port()}")
    assert running.url == "https://file.example"
    running.end()


# ---- logs ----

def test_every_line_of_the_log_is_json_and_names_its_request(own_server):
    answer = own_server.cyrexa([{"id": private()}, {}])
    own_server.cyrexa([{"id": 5}])
    own_server.get("/nothing")
    request, one = answer.headers["Request-Id"], answer.headers["Muster-Import"]
    own_server.stop()
    entries = [json.loads(line) for line in own_server.log.read_text().splitlines()]
    assert all({"time", "level", "event"} <= set(entry) for entry in entries)
    kept = next(entry for entry in entries if entry.get("request") == request)
    assert (kept["event"], kept["import"], kept["tenant"], kept["status"], kept["items"], kept["created"]) == (
        "import", one, "demo", 200, 2, 2)
    assert [entry["status"] for entry in entries if entry["event"] == "import"] == [200, 422]
    assert entries[-1]["event"] == "stopped"
