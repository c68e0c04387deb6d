"""`muster import` and `muster imports` against a server that misbehaves by script."""

import gzip
import json
import os
import re
import select
import shlex
import signal
import stat
import subprocess
import time

import pytest

from fake_server import Cut, FakeServer, Keep, Say, problem, zstd
from muster import PATIENCE_S, binary, clean_environment, free_port, wait_until

DONE, USAGE, REFUSED, NOT_ALLOWED, UNREACHABLE, UNKNOWN = 0, 1, 3, 4, 5, 6
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ITEMS = [{"id": f"c{number}"} for number in range(1000)]
LINES = "".join(json.dumps(item) + "\n" for item in ITEMS)


@pytest.fixture
def fake():
    server = FakeServer()
    yield server
    server.close()


class Done:
    def __init__(self, code, stdout, stderr):
        self.code, self.stdout, self.stderr = code, stdout.decode(), stderr.decode()

    @property
    def ids(self):
        return self.stdout.splitlines()

    @property
    def repeat(self):
        """The command line that it says goes on."""
        return shlex.split(re.search(r"^(muster import .*)$", self.stderr, re.MULTILINE)[1])[1:]


@pytest.fixture
def muster(fake, tmp_path):
    def run(*arguments, code=DONE, stdin=b"", stderr=""):
        done = subprocess.run([binary(), *map(str, arguments)], input=stdin, capture_output=True, cwd=tmp_path,
                              timeout=PATIENCE_S, check=False, env=environment(fake))
        result = Done(done.returncode, done.stdout, done.stderr)
        assert result.code == code, (result.stdout, result.stderr)
        assert re.search(stderr, result.stderr), result.stderr
        return result
    return run


def environment(fake):
    return clean_environment(MUSTER_SERVER=fake.url, MUSTER_TOKEN="mk_x", MUSTER_TENANT="t", MUSTER_TENANT_TOKEN="mt_x")


def written(tmp_path, content, name="body.json"):
    path = tmp_path / name
    content = content if isinstance(content, (bytes, str)) else json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# ---- what is sent ----

@pytest.mark.parametrize("name, content, path, kind", [
    ("a.json", json.dumps(ITEMS), "/customer/1.0.0/createBulk", "application/json"),
    ("a.json", json.dumps({"customerType": "Individual", "customerData": ITEMS}), "/customers/batch", "application/json"),
    ("a.json", json.dumps({"customers": ITEMS}), "/v1/customers", "application/json"),
    ("a.ndjson", LINES, "/customer/1.0.0/createBulk", "application/x-ndjson"),
    ("a.txt", '{"externalId":"1"}\n{"externalId":"2"}\n', "/v1/customers", "application/x-ndjson"),
    ("a.csv", "customerWallet/wallet\nw1\nw2\n", "/customers/batch", "text/csv"),
    ("a.json", "externalId,name\n1,x\n", "/v1/customers", "text/csv")],
    ids=["array", "nexera", "muster", "ndjson", "lines", "csv", "csv-by-content"])
@pytest.mark.parametrize("packing", [None, "gzip", "zstd"])
@pytest.mark.parametrize("by_stdin", [False, True], ids=["file", "stdin"])
def test_a_body_goes_as_it_is(fake, muster, tmp_path, name, content, path, kind, packing, by_stdin):
    content = content.encode()
    if packing == "gzip":
        content = gzip.compress(content)
    if packing == "zstd":
        content = zstd(content)
    body = written(tmp_path, content, name)
    muster(*(["import", "-"] if by_stdin else ["import", body]), stdin=content if by_stdin else b"")
    (sent,) = fake.posts
    assert sent.path == path and sent.body == content
    assert sent.headers["Content-Type"] == kind and sent.headers.get("Content-Encoding") == packing
    assert sent.headers["Authorization"] == "Bearer mk_x"
    assert sent.headers.get("tenantId") == ("t" if "createBulk" in path else None)
    assert re.fullmatch(f'"{UUID}"', sent.key)
    assert "Prefer" not in sent.headers


def test_flags_become_the_request(fake, muster, tmp_path):
    body = written(tmp_path, "Mail,Nr\na@b,1\n", "a.csv")
    muster("import", body, "--contract", "nexera", "--set", "customerType=Individual", "--set=cmsProjectId=p 1&2",
           "--map", "Mail=customerClaims/email,Nr=", "--on-existing", "update", "--strict", "--lenient", "--quiet",
           "--key", 'a "b" \\c')
    (sent,) = fake.posts
    assert sent.query == {"customerType": "Individual", "cmsProjectId": "p 1&2", "onExisting": "update",
                          "map": "Mail=customerClaims/email,Nr="}
    assert sent.headers["Prefer"] == "handling=lenient, validation=strict, return=minimal"
    assert sent.headers["Accept"] == "application/x-ndjson"
    assert sent.key == r'"a \"b\" \\c"'


def test_the_map_tells_the_contract_too(fake, muster, tmp_path):
    muster("import", written(tmp_path, "Mail\na@b\n", "a.csv"), "--map", "Mail=person/email")
    assert fake.posts[0].path == "/customer/1.0.0/createBulk?map=Mail%3Dperson%2Femail"


@pytest.mark.parametrize("arguments, words", [
    (["--format", "cvs"], "did you mean csv"), (["--on-existing", "skipp"], "did you mean skip"),
    (["--set", "a"], "NAME=VALUE"), (["--set", "=a"], "NAME=VALUE"), (["--no-wait"], "--async"), (["--key", ""], "--key"),
    (["--key", "k" * 256], "255"), (["--key", "ä"], "ASCII"), (["--retries", "x"], "whole number")])
def test_wrong_flags(fake, muster, tmp_path, arguments, words):
    muster("import", written(tmp_path, ITEMS), *arguments, code=USAGE, stderr=words)
    assert fake.requests == []


# ---- what comes back ----

def test_ids_come_out_in_order(fake, muster, tmp_path):
    done = muster("import", written(tmp_path, ITEMS), stderr=f"1000 kept, import {fake.import_id}")
    assert len(set(done.ids)) == 1000 and fake.kept == ITEMS
    again = muster("import", written(tmp_path, ITEMS), "--key", fake.posts[0].key.strip('"'), stderr="answered before")
    assert again.ids == done.ids and fake.kept == ITEMS


def test_lenient_lines(fake, muster, tmp_path):
    items = [{"id": "a"}, *({"bad": number} for number in range(12)), {"id": "b"}]
    done = muster("import", written(tmp_path, items), "--lenient", code=REFUSED, stderr="2 kept, 12 refused, import")
    assert len(done.ids) == 14 and done.ids[1:13] == [""] * 12 and done.ids[0] and done.ids[13]
    faults = re.findall(r"^  item (\d+) /bad: unknown: There is no such member\.$", done.stderr, re.MULTILINE)
    assert faults == [str(number) for number in range(1, 11)]
    assert f"muster imports faults {fake.import_id}" in done.stderr
    raw = muster("import", written(tmp_path, items), "--lenient", "--json", code=REFUSED)
    assert [json.loads(line)["index"] for line in raw.ids] == list(range(14))
    quiet = muster("import", written(tmp_path, items), "--lenient", "--quiet", code=REFUSED, stderr="2 kept, 12 refused")
    assert quiet.stdout == ""


def test_counts_instead_of_ids(fake, muster, tmp_path):
    counts = {"id": "i", "counts": {"received": 9, "created": 5, "existing": 2, "refused": 2}}
    minimal = Say(200, counts, Content_Type="application/json", Muster_Import=fake.import_id)
    fake.script = [minimal, minimal, Say(200, b"", Muster_Import=fake.import_id)]
    fake.page("", Say(200, counts))
    muster("import", written(tmp_path, ITEMS), "--quiet", code=REFUSED, stderr="7 kept, 2 refused")
    done = muster("import", written(tmp_path, ITEMS), "--dry-run", code=REFUSED, stderr="7 would be kept, 2 refused.*dry run")
    assert fake.posts[1].query == {"dryRun": "true"} and done.stdout == ""
    muster("import", written(tmp_path, ITEMS), "--quiet", code=REFUSED, stderr="7 kept, 2 refused")


def test_a_refusal_shows_its_first_faults(fake, muster, tmp_path):
    errors = [{"index": number, "pointer": "/x", "code": "type", "detail": "no"} for number in range(40)]
    fake.script = [problem(422, "faults", errors=errors, errorsTotal=70)]
    done = muster("import", written(tmp_path, ITEMS), code=REFUSED, stderr="422 faults: detail of faults")
    assert done.stderr.count("/x: type: no") == 10 and "70 faults in all" in done.stderr and done.stdout == ""


# ---- faults to a file ----

def test_faults_go_to_a_file(fake, muster, tmp_path):
    mend = 'bad,_row,_pointer,_code,_detail\n1,0,/bad,unknown,x\n'
    fake.page("/faults", Say(200, mend.encode(), Content_Type="text/csv"))
    target = tmp_path / "faults.csv"
    target.write_text("older")
    muster("import", written(tmp_path, "id,bad\n1,1\n", "a.csv"), "--lenient", "--faults", "faults.csv", code=REFUSED,
           stderr="1 refused items are in faults.csv; mend them there")
    assert target.read_text() == mend and stat.S_IMODE(target.stat().st_mode) == 0o600
    fake.script = [problem(422, "faults", errors=[{"index": 0}], Muster_Import=fake.import_id)]
    target.unlink()
    muster("import", written(tmp_path, ITEMS), "--faults", "faults.csv", code=REFUSED)
    assert target.read_text() == mend and sorted(os.listdir(tmp_path)) == ["a.csv", "body.json", "faults.csv"]


def test_faults_that_break_off_leave_the_file_alone(fake, muster, tmp_path):
    target = tmp_path / "f"
    target.write_text("older")
    for step in (Say(200, b"x" * 100, cut=10), problem(404, "not-found")):
        fake.page("/faults", step)
        muster("import", written(tmp_path, [{"bad": 1}]), "--lenient", "--faults", "f", code=REFUSED,
               stderr="could not be fetched")
        assert target.read_text() == "older" and sorted(os.listdir(tmp_path)) == ["body.json", "f"]
    muster("import", written(tmp_path, ITEMS), "--faults", "f")
    assert target.read_text() == "older", "nothing was refused"
    fake.page("/faults", Say(200, b"x"))
    muster("import", written(tmp_path, [{"bad": 1}]), "--lenient", "--faults", "no/folder/f", code=REFUSED, stderr="No such file")


# ---- sent again ----

@pytest.mark.parametrize("step", [
    Cut(0), Cut(1), Cut(3 << 20), Cut(), problem(503, "overloaded"), problem(503, "overloaded", early=True),
    problem(429, "quota", Retry_After=1), problem(409, "idempotency-key-in-flight"), problem(409, "busy"),
    problem(408, "too-slow"), problem(507, "storage-full"), problem(503, "outcome-unknown"), Keep(cut=0), Keep(cut=1),
    Keep(cut=30000), *(Keep(head=size) for size in (0, 1, 12, 15, 17, 40, 60))],
    ids=lambda step: f"{type(step).__name__}-{'-'.join(str(value) for value in vars(step).values() if type(value) is int)}")
def test_what_breaks_off_is_sent_again(fake, muster, tmp_path, step):
    items = [{"id": f"c{number}", "customerName": "x" * 4000} for number in range(1100)]
    fake.script = [step]
    done = muster("import", written(tmp_path, items), stderr="sending it again in")
    assert len(done.ids) == len(set(done.ids)) == 1100 and all(done.ids)
    assert len(fake.posts) == 2 and fake.posts[0].key == fake.posts[1].key
    assert fake.kept == items, "each once"


def test_the_answer_itself_is_never_printed_twice(fake, muster, tmp_path):
    fake.script = [Keep(cut=20000), Keep(cut=10000), Keep(cut=30000)]
    done = muster("import", written(tmp_path, ITEMS), "--json")
    assert len(json.loads(done.stdout)["customerIds"]) == 1000
    fake.script = [Keep(cut=20001), Keep(cut=40003)]
    done = muster("import", written(tmp_path, ITEMS), "--lenient")
    assert len(done.ids) == len(set(done.ids)) == 1000


def test_a_pause_that_is_asked_for(fake, muster, tmp_path):
    fake.script = [problem(503, "overloaded", Retry_After=2)]
    begun = time.monotonic()
    muster("import", written(tmp_path, ITEMS), stderr="503 overloaded; sending it again in 2.0 s")
    assert time.monotonic() - begun >= 2
    fake.script = [problem(429, "quota", Retry_After=86400)]
    muster("import", written(tmp_path, ITEMS), code=UNREACHABLE, stderr="(?s)longer pause.*after 86400 s.*--key")


def test_attempts_are_bounded(fake, muster, tmp_path):
    body = written(tmp_path, ITEMS, "a b'c.json")
    fake.script = [problem(503, "overloaded")] * 3
    done = muster("import", body, "--retries", 2, code=UNREACHABLE, stderr="no attempt is left")
    assert len(fake.posts) == 3 and len({sent.key for sent in fake.posts}) == 1
    assert done.repeat == ["import", "--key", fake.posts[0].key.strip('"'), str(body), "--retries", "2"]
    muster(*done.repeat)
    assert fake.posts[3].key == fake.posts[0].key and fake.kept == ITEMS
    fake.script = [Cut()]
    done = muster("import", body, "--retries=0", "--key", "mine", code=UNKNOWN)
    assert done.repeat == ["import", str(body), "--retries=0", "--key", "mine"]
    fake.script = [Cut(5)]
    muster("import", written(tmp_path, b"[" + b" " * (64 << 20)), "--retries=0", code=UNREACHABLE)
    fake.script = [problem(409, "idempotency-key-in-flight")]
    muster("import", body, "--retries=0", code=UNKNOWN)
    fake.script = [problem(409, "busy")]
    muster("import", body, "--retries=0", code=UNREACHABLE)
    muster("import", body, "--retries=1", "--server", f"http://127.0.0.1:{free_port()}", code=UNREACHABLE, stderr="--key")


def test_attempts_that_bring_something_new_are_not_counted(fake, muster, tmp_path):
    items = [{"id": f"c{number}", "customerName": "x" * 100000} for number in range(400)]
    fake.script = [Cut(at << 20) for at in (6, 14, 22, 30)]
    muster("import", written(tmp_path, items), "--retries", 1)
    assert len(fake.posts) == 5 and fake.kept == items


def test_a_pipe_is_sent_again_while_it_can_be(fake, muster):
    fake.script = [Cut(), problem(503, "overloaded")]
    muster("import", "-", stdin=LINES.encode())
    assert fake.kept == ITEMS and len(fake.posts) == 3
    long = b"".join(b'{"id":"%d","customerName":"%s"}\n' % (number, b"x" * 10000) for number in range(3000))
    assert len(long) > 24 << 20, "more than sockets hold, so that it has not left whole when it is cut"
    fake.script = [Cut(2 << 20)]
    done = muster("import", "-", stdin=long, code=UNREACHABLE, stderr="can't be read again(?s:.*)same input and")
    muster(*done.repeat, stdin=long)
    assert len(fake.kept) == 4000 and fake.posts[-1].key == fake.posts[-2].key
    fake.script = [Cut()]
    muster("import", "-", stdin=long, code=UNKNOWN)
    fake.script = [problem(503, "overloaded", unasked=True)]  # early alone is a race with what is being sent
    muster("import", "-", stdin=long)
    assert len(fake.kept) == 7000


def test_what_is_final_is_not_sent_again(fake, muster, tmp_path):
    for status, code, exit_code in ((400, "malformed-json", REFUSED), (401, "token-invalid", NOT_ALLOWED),
                                    (403, "scope-missing", NOT_ALLOWED), (409, "external-id-conflict", REFUSED),
                                    (413, "body-too-large", REFUSED), (422, "idempotency-key-reused", REFUSED),
                                    (500, "internal", USAGE)):
        fake.requests.clear()
        fake.script = [problem(status, code)]
        muster("import", written(tmp_path, ITEMS), code=exit_code, stderr=f"{status} {code}")
        assert len(fake.posts) == 1


def test_an_answer_that_is_none(fake, muster, tmp_path):
    fake.script = [Say(200, b"<html>", Content_Type="text/html")]
    done = muster("import", written(tmp_path, ITEMS), code=USAGE, stderr="not what was expected")
    assert len(fake.posts) == 1 and "--key" in done.repeat


def test_an_output_that_is_full(fake, tmp_path):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([binary(), "import", str(written(tmp_path, ITEMS))], stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE, env=environment(fake), timeout=PATIENCE_S, check=False)
    assert done.returncode == UNKNOWN and b"stdout takes no more" in done.stderr and b"--key" in done.stderr
    assert len(fake.posts) == 1


# ---- Ctrl-C ----

def start(fake, tmp_path, *arguments):
    return subprocess.Popen([binary(), *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, cwd=tmp_path, env=environment(fake))


def ended(process):
    try:
        stdout, stderr = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    return Done(process.returncode, stdout, stderr)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_says_how_to_go_on(fake, muster, tmp_path, number):
    body = written(tmp_path, ITEMS)
    fake.script = [problem(503, "overloaded", Retry_After=60)]
    waiting = start(fake, tmp_path, "import", body)
    wait_until(lambda: fake.posts, "the import")
    time.sleep(0.2)
    waiting.send_signal(number)
    done = ended(waiting)
    assert done.code == UNKNOWN and done.repeat == ["import", "--key", fake.posts[0].key.strip('"'), str(body)]
    muster(*done.repeat)
    assert fake.kept == ITEMS and len({sent.key for sent in fake.posts}) == 1


def test_an_interrupt_while_the_answer_is_awaited(fake, muster, tmp_path):
    body = written(tmp_path, ITEMS)
    sending = start(fake, tmp_path, "import", body)
    fake.on_body = lambda: (sending.send_signal(signal.SIGINT), time.sleep(0.7))
    done = ended(sending)
    fake.on_body = None
    assert done.code == UNKNOWN and done.stdout == ""
    muster(*done.repeat, stderr="answered before")
    assert fake.kept == ITEMS


def test_an_interrupt_while_stdin_is_silent(fake, tmp_path):
    waiting = start(fake, tmp_path, "import", "-", "--contract", "cyrexa")
    time.sleep(0.3)
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(PATIENCE_S) == -signal.SIGINT  # nothing was sent, so there is nothing to go on with
    assert fake.requests == []
    ended(waiting)


# ---- progress ----

def test_progress_asks_the_server(fake, tmp_path):
    import pty
    counts = {"imports": [{"id": fake.import_id, "state": "open", "counts": {"received": 321, "refused": 1}}]}
    body = written(tmp_path, ITEMS)
    fake.pages["GET", "/v1/imports?idempotencyKey=k"] = Say(200, counts)
    fake.on_body = lambda: time.sleep(2)
    master, slave = pty.openpty()
    sending = subprocess.Popen([binary(), "import", str(body), "--key", "k"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=slave, env=environment(fake))
    os.close(slave)
    shown = b""
    try:
        while select.select([master], [], [], PATIENCE_S)[0]:
            try:
                shown += os.read(master, 65536)
            except OSError:
                break
        assert sending.wait(PATIENCE_S) == DONE
    finally:
        sending.kill()
        sending.stdout.close()
        os.close(master)
    assert b"321 customers" in shown and b"(1 refused)" in shown and b"99%" in shown and b"100%" not in shown
    asked = [request for request in fake.requests if request.command == "GET"]
    assert asked and asked[0].headers["Authorization"] == "Bearer mk_x"


@pytest.mark.parametrize("status", [400, 403, 404])
def test_progress_without_the_server_s_help(fake, muster, tmp_path, status):
    fake.pages["GET", "/v1/imports?idempotencyKey=k"] = problem(status, "no")
    fake.on_body = lambda: time.sleep(1.5)
    muster("import", written(tmp_path, ITEMS), "--key", "k")
    assert len(fake.requests) - len(fake.posts) == 1, "it does not ask again"


# ---- what runs on at the server ----

def event(name, **counts):
    return f"event: {name}\ndata: {json.dumps({'state': 'open', 'counts': counts})}\n\n".encode()


@pytest.fixture
def accepted(fake):
    """The server takes the body and goes on by itself."""
    def step(state="committed", **counts):
        fake.script = [Say(202, b"{}", Location=f"/v1/imports/{fake.import_id}")]
        fake.page("", Say(200, {"id": fake.import_id, "state": state, "counts": counts}))
    return step


def test_async_is_followed_to_its_end(fake, muster, tmp_path, accepted):
    accepted(received=3, created=2, refused=1)
    stream = event("progress", received=1)
    fake.page("/events", [Say(200, stream * 3, cut=len(stream) + 9), problem(503, "overloaded"), Say(200, stream),
                          Say(200, stream + event("end", received=3))])
    fake.page("/results", Say(200, b'{"index":0,"outcome":"created","customerId":"a"}\n{"index":1,"outcome":"fault",'
                                   b'"errors":[{"pointer":"/p","code":"c","detail":"d"}]}\n'
                                   b'{"index":2,"outcome":"created","customerId":"b"}\n'))
    done = muster("import", written(tmp_path, ITEMS), "--async", "--lenient", code=REFUSED, stderr="2 kept, 1 refused")
    assert done.ids == ["a", "", "b"] and "item 1 /p: c: d" in done.stderr
    assert fake.posts[0].headers["Prefer"] == "handling=lenient, respond-async"
    accepted("aborted", received=3, refused=1)
    muster("import", written(tmp_path, ITEMS), "--async", code=REFUSED, stderr="ended as aborted: nothing was kept")


def test_async_is_left_alone(fake, muster, tmp_path, accepted):
    accepted()
    done = muster("import", written(tmp_path, ITEMS), "--async", "--no-wait", stderr="imports watch")
    assert done.ids == [fake.import_id]


def test_async_that_is_interrupted(fake, tmp_path, accepted):
    accepted()
    fake.page("/events", problem(503, "overloaded", Retry_After=60))
    following = start(fake, tmp_path, "import", written(tmp_path, ITEMS), "--async")
    wait_until(lambda: len(fake.requests) > len(fake.posts), "the question for events")
    time.sleep(0.3)
    following.send_signal(signal.SIGINT)
    done = ended(following)
    assert done.code == UNKNOWN and f"muster imports watch {fake.import_id}" in done.stderr


# ---- imports ----

def test_reports_of_an_import(fake, muster, tmp_path):
    fake.page("/faults", Say(200, b"f\n"))
    fake.page("/faults?groups=true", Say(200, b"[]"))
    fake.page("/results", Say(200, b"r\n"))
    assert muster("imports", "faults", fake.import_id).stdout == "f\n"
    assert muster("imports", "faults", fake.import_id, "--groups").stdout == "[]"
    assert muster("imports", "results", fake.import_id).stdout == "r\n"
    assert fake.requests[-1].headers["Accept"] == "application/x-ndjson"
    muster("imports", "results", fake.import_id, "--csv", "-o", "r.csv")
    assert fake.requests[-1].headers["Accept"] == "text/csv" and (tmp_path / "r.csv").read_text() == "r\n"
    assert stat.S_IMODE((tmp_path / "r.csv").stat().st_mode) == 0o600
    muster("imports", "results", "x/y", code=USAGE, stderr="404")
    assert fake.requests[-1].path == "/v1/imports/x%2Fy/results"
    muster("imports", "faults", code=USAGE, stderr="usage")


def test_what_is_done_to_an_import(fake, muster):
    fake.page("/abort", Say(202, {"id": fake.import_id, "state": "aborted"}), "POST")
    fake.page("/undo", problem(409, "import-changed", customers=["one", "two"]), "POST")
    assert "state: aborted" in muster("imports", "abort", fake.import_id).stdout
    assert json.loads(muster("imports", "abort", fake.import_id, "--json").stdout)["state"] == "aborted"
    muster("imports", "undo", fake.import_id, code=REFUSED, stderr="(?s)409 import-changed.*customer one\n  customer two")


def test_watching(fake, muster):
    fake.page("/events", Say(200, event("progress", received=1) + event("end", received=2)))
    fake.page("", Say(200, {"id": "i", "state": "committed", "counts": {"created": 2}}))
    muster("imports", "watch", fake.import_id, stderr="committed: 2 kept, 0 refused")
    lines = muster("imports", "watch", fake.import_id, "--json").ids
    assert [json.loads(line)["counts"]["received"] for line in lines] == [1, 2]
    fake.page("", Say(200, {"id": "i", "state": "aborted", "counts": {"created": 0}}))
    muster("imports", "watch", fake.import_id, code=REFUSED)
    fake.page("/events", problem(404, "not-found"))
    muster("imports", "watch", fake.import_id, code=USAGE, stderr="404")
