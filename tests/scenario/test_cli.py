"""The command line against a server: what it prints, and its exit codes."""

import contextlib
import json
import re
import signal
import subprocess

import pytest

from muster import ROOT, UUID, Server, binary, clean_environment, free_port, private, stores, wait_until

CYREXA = ROOT / "examples/cyrexa-createBulk.json"
NEXERA = ROOT / "examples/nexera-customers-batch.json"
DONE, USAGE, REFUSED, NOT_ALLOWED, UNREACHABLE, UNKNOWN = 0, 1, 3, 4, 5, 6


@pytest.fixture
def muster(server):
    """Runs a command as the demo tenant and its operator; checks the exit code, answers stdout."""
    def run(*arguments, code=DONE, stdin=b"", stderr="", **environment):
        done = server.run(*arguments, "--data", server.data, stdin=stdin, **environment)
        words = done.stderr.decode()
        assert done.returncode == code, (done.stdout, words)
        assert re.search(stderr, words), words
        return done.stdout.decode()
    return run


def lines(text):
    assert text == "" or text.endswith("\n")
    return text.splitlines()


def written(tmp_path, value, name="body.json"):
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return path


# ---- import ----

@pytest.mark.parametrize("path", [CYREXA, NEXERA], ids=["cyrexa", "nexera"])
def test_import_of_the_examples(muster, server, path):
    ids = lines(muster("import", path, stderr="1 kept, import [0-9a-f-]{36}"))
    assert len(ids) == 1 and UUID.fullmatch(ids[0])
    assert lines(muster("import", path)) == ids
    assert lines(muster("import", "-", stdin=path.read_bytes())) == ids
    assert server.customer(ids[0])["contract"] == path.name.split("-")[0]


def test_import_of_many(muster, server, tmp_path):
    items = [{"id": private("cli-"), "customerName": private()} for _ in range(5000)]
    ids = lines(muster("import", written(tmp_path, items)))
    assert ids == sorted(ids) and len(set(ids)) == 5000
    for at in range(0, 5000, 501):
        assert server.customer(ids[at])["document"] == items[at]


def test_import_with_a_contract_that_is_named(muster, tmp_path):
    body = written(tmp_path, {"customers": [{"externalId": private()}]})
    assert len(lines(muster("import", body, "--contract", "muster"))) == 1
    assert len(lines(muster("import", body))) == 1
    muster("import", body, "--contract=nexera", code=REFUSED, stderr="customerData")
    muster("import", body, "--contract", "nexerra", code=USAGE, stderr="did you mean nexera")


def test_import_prints_the_answer_as_it_is(muster, server):
    answer = json.loads(muster("import", CYREXA, "--json"))
    assert list(answer) == ["tenantId", "customerIds"] and answer["tenantId"] == server.tenant


def test_import_that_is_refused(muster, server, tmp_path):
    with server.nothing_kept():
        body = written(tmp_path, [{"id": private()}, {"customerType": "Persom"}])
        assert muster("import", body, code=REFUSED, stderr=r"(?s)422 faults.*item 1 /customerType: enum.*\(Person\?\)") == ""
        muster("import", written(tmp_path, "[{]"), code=REFUSED, stderr="400 malformed-json")
        muster("import", written(tmp_path, "hello"), code=USAGE, stderr="--contract")
        muster("import", written(tmp_path, ""), code=USAGE)
        muster("import", tmp_path / "nothing", code=USAGE, stderr="No such file")
        muster("import", tmp_path, code=USAGE, stderr="directory")


def test_import_of_a_conflict(muster, tmp_path):
    name = private()
    one = lines(muster("import", written(tmp_path, [{"id": name}])))[0]
    again = written(tmp_path, [{"id": name, "customerName": private()}])
    muster("import", again, code=REFUSED, stderr="409 external-id-conflict")
    assert UUID.fullmatch(one)


# ---- credentials ----

def test_credentials_of_every_source(server, tmp_path):
    def run(*arguments, code=DONE, **environment):
        done = server.run("find", "--external-id", "nobody", *arguments, **environment)
        assert done.returncode == code, done
        return done

    own = {"MUSTER_SERVER": server.url, "MUSTER_TOKEN": server.credentials["apiKey"]}
    run(code=USAGE, **own)  # nothing found: that it was asked shows in the words
    assert b"no customer" in run(code=USAGE, **own).stderr
    path = server.data / "demo.json"
    assert b"no customer" in run("--credentials", path, code=USAGE).stderr
    assert b"no customer" in run(code=USAGE, MUSTER_CREDENTIALS=str(path)).stderr
    assert b"no customer" in run("--server", server.url + "/", code=USAGE, MUSTER_TOKEN=server.token).stderr
    assert b"401" in run("--credentials", path, code=NOT_ALLOWED, MUSTER_TOKEN="mk_wrong").stderr
    assert b"401" in run("--server", server.url, code=NOT_ALLOWED).stderr
    run("--credentials", tmp_path / "nothing", code=USAGE)
    run("--credentials", written(tmp_path, "{"), code=USAGE)


def test_a_token_without_the_scope(server, muster):
    reader = server.with_scopes("customers:read")
    muster("import", CYREXA, code=NOT_ALLOWED, stderr="403 scope-missing", MUSTER_TOKEN=reader.token)
    muster("imports", "list", code=NOT_ALLOWED, stderr="imports:read", MUSTER_TOKEN=reader.token)


def test_no_server(server, muster):
    nowhere = f"http://127.0.0.1:{free_port()}"
    for arguments in (["import", CYREXA], ["get", "x"], ["imports", "list"], ["tenant", "list"]):
        retries = ["--retries", "1"] if arguments[0] == "import" else []
        muster(*arguments, *retries, "--server", nowhere, code=UNREACHABLE)
    muster("get", "x", "--server", "127.0.0.1:1", code=USAGE, stderr="http://")


# ---- get, find, imports ----

def test_get_and_find(server, muster):
    items = [{"id": private(), "person": {"email": f"{private()}@example.org"}} for _ in range(2)]
    ids = server.keep(items)
    shown = [json.loads(line) for line in lines(muster("get", *ids))]
    assert [one["document"] for one in shown] == items
    found = lines(muster("find", "--email", items[1]["person"]["email"].upper()))
    assert [json.loads(line)["id"] for line in found] == [ids[1]]
    assert json.loads(muster("find", f"--external-id={items[0]['id']}"))["id"] == ids[0]
    assert json.loads(muster("find", "--external-id", items[0]["id"], "--json"))["customers"][0]["id"] == ids[0]
    muster("find", "--email", "nobody@example.org", code=USAGE, stderr="no customer")
    muster("find", code=USAGE)
    muster("find", "--email", "a", "--phone", "b", code=USAGE)
    muster("get", ids[0].replace("-", "0"), code=USAGE, stderr="404")
    muster("get", code=USAGE, stderr="usage: muster get")


def test_imports(server, muster):
    answer = server.cyrexa([{"x": 1}, {}])
    one = answer.headers["Muster-Import"]
    listed = lines(muster("imports", "list"))
    assert one in listed[0] and "committed" in listed[0]
    assert f"id: {one}" in lines(muster("imports", "show", one))
    assert json.loads(muster("imports", "show", one, "--json"))["counts"]["created"] == 2
    assert json.loads(muster("imports", "list", "--json"))["imports"][0]["id"] == one
    muster("imports", "show", code=USAGE, stderr="usage")
    muster("imports", "show", "x", code=USAGE, stderr="404")
    muster("imports", "lst", code=USAGE, stderr="did you mean list")


def test_reports_of_an_import(server, muster, tmp_path):
    one = server.cyrexa([{"id": private()}, {}]).headers["Muster-Import"]
    outcomes = [json.loads(line) for line in lines(muster("imports", "results", one))]
    assert [(row["index"], row["outcome"]) for row in outcomes] == [(0, "created"), (1, "created")]
    muster("imports", "results", one, "--csv", "-o", tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_text().splitlines()[1] == f"0,created,{outcomes[0]['customerId']}"
    muster("imports", "watch", one, stderr="committed: 2 kept, 0 refused")
    refused = server.cyrexa([{}, {"customerType": "Persom"}]).headers["Muster-Import"]
    assert "Persom" in muster("imports", "faults", refused)
    assert json.loads(muster("imports", "faults", refused, "--groups"))["items"] == 1
    muster("imports", "watch", refused, code=REFUSED, stderr="aborted")
    muster("imports", "abort", one, code=REFUSED, stderr="409 import-ended")


def test_an_import_is_undone(server, muster):
    with server.nothing_kept():
        one = server.cyrexa([{"id": private()}]).headers["Muster-Import"]
        assert "state: undone" in muster("imports", "undo", one)
    muster("imports", "watch", one, stderr="undone")


# ---- tenants and what is theirs ----

def test_tenants(server, muster):
    assert lines(muster("tenant", "create", "cli-tenant", "--strict", "--create-projects")) == ["cli-tenant"]
    assert "cli-tenant" in muster("tenant", "list")
    muster("tenant", "create", "cli-tenant", code=REFUSED, stderr="409 exists")
    muster("tenant", "create", "not a name", code=REFUSED, stderr="400")
    assert lines(muster("project", "create", "cli-tenant", "p 1")) == ["p 1"]
    assert "p 1" in muster("project", "list", "cli-tenant")
    muster("project", "revoke", "cli-tenant", "p 1")
    muster("tenant", "revoke", "cli-tenant")
    muster("project", "list", "cli-tenant", code=USAGE, stderr="404")
    muster("tenant", "revoke", "nobody-there", code=USAGE, stderr="404")


def test_limits_of_a_tenant(muster):
    muster("tenant", "create", "limited", "--items-per-day", "1000", "--bytes-per-request", "5000")
    assert lines(muster("tenant", "limits", "limited", "--items-per-day", "none", "--items-per-request", "7")) == [
        "name: limited", "itemsPerRequest: 7", "bytesPerRequest: 5000", "itemsPerDay: null", "bytesPerDay: null"]
    muster("tenant", "limits", "limited", "--items-per-day", "few", code=USAGE, stderr="few")
    muster("tenant", "limits", "limited", "--items-per-day", "0", code=REFUSED, stderr="400")
    muster("tenant", "limits", "nobody-there", "--items-per-day", "1", code=USAGE, stderr="404")
    muster("project", "limits", "limited", "p", code=USAGE, stderr="limits")


def test_keys(server, muster):
    key = lines(muster("key", "create", "demo", "nightly", "--scopes", "customers:read,imports:read",
                       stderr="shown this once"))[0]
    server.secrets.add(key)
    assert key.startswith("mk_")
    muster("imports", "list", MUSTER_TOKEN=key)
    muster("import", CYREXA, code=NOT_ALLOWED, MUSTER_TOKEN=key)
    row = next(line for line in lines(muster("key", "list", "demo")) if "nightly" in line)
    assert key not in row
    muster("key", "revoke", "demo", row.split("\t")[0])
    muster("imports", "list", code=NOT_ALLOWED, MUSTER_TOKEN=key)
    token = lines(muster("key", "create", "demo", "second", "--kind", "tenant-token"))[0]
    server.secrets.add(token)
    assert token.startswith("mt_")
    assert server.cyrexa([], token=token).good()
    muster("key", "create", "demo", "x", "--kind", "other", code=REFUSED, stderr="kind must be")
    muster("key", "create", "demo", "x", "--scopes", "customers:reed", code=REFUSED, stderr="scope")


def test_clients(server, muster):
    made = dict(line.split(": ", 1) for line in lines(muster("client", "create", "demo", "importer")))
    server.secrets.add(made["clientSecret"])
    form = {"grant_type": "client_credentials", "client_id": made["clientId"], "client_secret": made["clientSecret"]}
    assert server.ask_token(form).good()["scope"]
    assert made["clientId"] in muster("client", "list", "demo")
    muster("client", "revoke", "demo", made["clientId"])
    assert server.ask_token(form).status == 401


def test_the_operators_commands_need_its_key(server):
    done = server.run("tenant", "list", "--server", server.url)
    assert done.returncode == NOT_ALLOWED and b"MUSTER_OPERATOR_KEY" in done.stderr
    done = server.run("tenant", "list", "--server", server.url, MUSTER_OPERATOR_KEY="mo_wrong")
    assert done.returncode == NOT_ALLOWED and b"401" in done.stderr
    key = server.credentials["operatorKey"]
    assert server.run("tenant", "list", "--server", server.url, MUSTER_OPERATOR_KEY=key).returncode == DONE


# ---- without a server ----

@pytest.mark.parametrize("name", ["cyrexa", "nexera", "muster"])
def test_contract_check(server, name):
    done = server.run("contract", "check", ROOT / "contracts" / f"{name}.json")
    assert done.returncode == DONE and name in done.stdout.decode()


def test_contract_check_of_a_broken_one(server, tmp_path):
    text = (ROOT / "contracts/nexera.json").read_text()
    for broken, words in ((text.replace('"items": "/customerData"', '"itmes": "/customerData"'), "items"),
                          (text.replace('"maxLength"', '"maxLenght"', 1), "maxLenght"), (text[:500], ""), ("{}", "")):
        done = server.run("contract", "check", written(tmp_path, broken))
        assert done.returncode == USAGE and words in done.stderr.decode()


def test_contract_validate(server, tmp_path):
    contract = ROOT / "contracts/cyrexa.json"
    def validate(body, code, *flags):
        done = server.run("contract", "validate", contract, written(tmp_path, body), *flags)
        assert done.returncode == code, done
        return json.loads(done.stdout)

    example = CYREXA.read_text()
    assert validate(example, DONE)["items"] == 1
    assert validate(example, DONE)["findings"] != []
    assert validate(example, REFUSED, "--strict")["faults"] != []
    faults = validate([{}, {"id": 5}], REFUSED)["faults"]
    assert [(fault["index"], fault["pointer"], fault["code"]) for fault in faults] == [(1, "/id", "type")]
    assert validate([{"customerStatus": "verified"}], REFUSED)["faults"][0]["code"] == "scope-missing"
    assert validate([{"customerStatus": "verified"}], DONE, "--scopes", "all")["faults"] == []
    assert validate("[{]", REFUSED)["faults"][0]["code"] == "malformed-json"
    done = server.run("contract", "validate", ROOT / "contracts/nexera.json", NEXERA, "--scopes", "customers:status")
    assert done.returncode == DONE


def test_contract_validate_of_a_schema(server, tmp_path):
    schema = written(tmp_path, {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
                     "schema.json")
    for value, code in (({"a": 1}, DONE), ({"a": "1"}, REFUSED), ({}, REFUSED), ([], REFUSED)):
        assert server.run("contract", "validate", schema, written(tmp_path, value), "--schema").returncode == code
    bad = written(tmp_path, {"type": "objekt"}, "schema.json")
    assert server.run("contract", "validate", bad, written(tmp_path, {}), "--schema").returncode == USAGE


def test_verify(own_server):
    own_server.keep([{"id": private(), "person": {"password": private()}} for _ in range(20)])
    held = own_server.run("verify", "--data", own_server.data)
    if stores.IS_POSTGRES:
        assert held.returncode == DONE, "a server beside it is in nobody's way"
    else:
        assert held.returncode == USAGE and b"lock" in held.stderr.lower(), "a server has it open"
    own_server.stop()
    done = own_server.run("verify", "--data", own_server.data, "--json")
    counts = json.loads(done.stdout)
    assert (done.returncode, counts["customers"], counts["problems"]) == (DONE, 20, 0)
    nowhere = own_server.run("verify", "--data", own_server.folder / "nowhere")
    assert nowhere.returncode == USAGE and b"root.key" in nowhere.stderr
    assert not (own_server.folder / "nowhere").exists(), "verify makes nothing"


@pytest.mark.folder("it damages a file of the store")
def test_verify_finds_damage(own_server):
    """Bytes are changed in the middle of the store's largest file of rows."""
    own_server.keep([{"id": private(), "customerName": private() * 20} for _ in range(3000)])
    own_server.stop()
    store = own_server.data / "store"
    path = max((one for one in store.iterdir() if one.suffix in (".sst", ".log")), key=lambda one: one.stat().st_size)
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes(byte ^ 0x55 for byte in content[middle:middle + 64]) + content[middle + 64:])
    done = own_server.run("verify", "--data", own_server.data)
    assert done.returncode == USAGE
    path.write_bytes(content)
    assert own_server.run("verify", "--data", own_server.data).returncode == DONE


def test_version_and_help(server):
    done = server.run("version")
    assert done.returncode == DONE and re.fullmatch(rb"muster \d+\.\d+\.\d+\S*\n", done.stdout)
    done = server.run("help")
    commands = re.findall(r"^  (\w+) ", done.stdout.decode(), re.MULTILINE)
    assert done.returncode == DONE and {"serve", "import", "verify", "bench", "key"} <= set(commands)
    for command in commands:
        assert server.run("help", command).returncode == DONE
        assert f"usage: muster {command}" in server.run("help", command).stdout.decode()
    for command in set(commands) - {"help", "version"}:
        assert server.run(command, "--help").stdout == server.run("help", command).stdout
    assert server.run().returncode == USAGE


@pytest.mark.parametrize("arguments, words", [
    (["imprt"], "did you mean import"), (["sevre"], "did you mean serve"), (["xyzzy"], "muster help"),
    (["import", "--contrcat", "x", "f"], "did you mean --contract"), (["find", "--emial", "x"], "did you mean --email"),
    (["serve", "--listne", "x"], 'did you mean "listen"'), (["tenant", "creat", "x"], "did you mean create"),
    (["import", "-x"], "two dashes"), (["import", "a", "b"], "usage"), (["import"], "usage: muster import"),
    (["import", "--contract"], "needs a value"), (["help", "imprt"], "did you mean import"),
    (["tenant", "create"], "usage"), (["key", "create", "demo"], "usage"), (["contract", "check"], "usage"),
    (["serve", "--hash-threads", "x"], "whole number"), (["serve", "--connections", "0"], "from 1 to"),
    (["config", "check", "--idle-timeout", "9999"], "from 1 to 3600"), (["serve", "now"], "flag")])
def test_wrong_usage(server, arguments, words):
    done = server.run(*arguments)
    assert done.returncode == USAGE
    assert words in done.stderr.decode()
    assert done.stdout == b""


def test_config_check(server, tmp_path):
    path = written(tmp_path, "listen = 127.0.0.1:9\n# words\nhash_threads=3\ndemo = yes\n", "muster.conf")
    done = server.run("config", "check", "--config", path, "--hash-threads", "4", MUSTER_HASH_THREADS="2",
                      MUSTER_IDLE_TIMEOUT="17")
    shown = dict(line.split(" = ", 1) for line in lines(done.stdout.decode()))
    assert done.returncode == DONE
    assert (shown["listen"], shown["hash_threads"], shown["idle_timeout"], shown["demo"]) == (
        "127.0.0.1:9", "4", "17", "true")


@pytest.mark.parametrize("text, words", [
    ("listne = x\n", ['did you mean "listen"', "line 1"]), ("demo = true\n\nhash_threads = many\n", ["whole number", "line 3"]),
    ("[server]\nlisten = x\n", ["section"]), ("listen\n", ["line 1"]), ("demo = perhaps\n", ["true or false"])])
def test_config_that_is_wrong(server, tmp_path, text, words):
    for arguments in (["config", "check"], ["serve"]):
        done = server.run(*arguments, "--config", written(tmp_path, text, "muster.conf"))
        assert done.returncode == USAGE
        for word in words:
            assert word in done.stderr.decode()
    assert server.run("config", "check", "--config", tmp_path / "nothing").returncode == USAGE


def test_interrupted_import(server):
    """Ctrl-C before the body has left: the command ends in time, nothing is there, and it says how to go on."""
    begun = b"[" + b",".join(json.dumps({"id": private(), "customerName": private() * 50}).encode() for _ in range(4000))
    assert len(begun) > 2 << 20, "more than the command looks at before it begins to send"
    with server.nothing_kept():
        process = subprocess.Popen([binary(), "import", "-", "--contract", "cyrexa", "--data", str(server.data)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=clean_environment())
        try:
            process.stdin.write(begun)
            process.stdin.flush()
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == UNKNOWN, process.stderr.read()
            assert process.stdout.read() == b""
            again = re.search(r"^muster (import --key .*)$", process.stderr.read().decode(), re.MULTILINE)[1].split()
        finally:
            process.kill()
            for stream in (process.stdout, process.stderr):
                stream.close()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
    done = server.run(*again, stdin=begun + b"]")
    assert done.returncode == DONE, done.stderr
    ids = done.stdout.decode().split()
    assert len(ids) == len(set(ids)) == 4000
    repeated = server.run(*again, stdin=begun + b"]")
    assert repeated.stdout.decode().split() == ids


def test_a_server_with_other_parameters(tmp_path):
    running = Server(tmp_path, "--http-threads", "1", "--worker-threads", "1", "--store-memory=16",
                     "--request-chunks", "2", environment={"MUSTER_IDLE_TIMEOUT": "5"})
    assert len(running.keep([{"id": private()} for _ in range(7000)])) == 7000
    running.end()
