"""From a batch with faults to a batch without: the refused items come back as they were sent, are mended and sent again.

And the ways back: undo and abort.
"""

import csv
import io
import json

import pytest

from muster import private
from test_imports import NOTHING, Running, events, import_of, results

LENIENT = {"Prefer": "handling=lenient"}
ADDED = {"_row", "_pointer", "_code", "_detail"}


@pytest.fixture(scope="module")
def undoer(server):
    """Everything that a client of the module may do, undo among it."""
    return server.with_scopes("customers:create", "customers:read", "customers:status", "imports:read",
                              "imports:undo")


def faults(party, import_id, media_type):
    answer = party.get(f"/v1/imports/{import_id}/faults")
    assert answer.status == 200 and answer.headers["Content-Type"] == media_type, answer
    return answer.body.decode()


def post(party, import_id, verb):
    return party.server.call("POST", f"/v1/imports/{import_id}/{verb}", headers=party.bearer())


def outcomes(party, import_id):
    return [line["outcome"] for line in results(party, import_id)]


# ---- mend and send again ----

def test_json_is_mended_and_sent_again(server):
    good, bad = {"id": private(), "customerType": "Person"}, {"id": private(), "customerType": "Persn"}
    first = server.cyrexa([good, bad, {"person": {"password": private(), "email": 5}}], **LENIENT)
    first.good()
    assert outcomes(server, import_of(first)) == ["created", "fault", "fault"]
    refused = json.loads(faults(server, import_of(first), "application/json"))
    assert [(item["_row"], item["_pointer"], item["_code"]) for item in refused] == [
        (1, "/customerType", "enum"), (2, "/person/email", "type")]
    assert {name: refused[0][name] for name in bad} == bad
    assert refused[1]["person"] == {"password": "", "email": 5}
    refused[0]["customerType"] = "Person"
    refused[1]["person"] = {"email": "ada@example.com"}
    second = server.cyrexa(refused)
    assert len(second.good()["customerIds"]) == 2
    for line in results(server, import_of(second)):
        assert not ADDED & set(server.customer(line["customerId"])["document"])
        assert server.customer(line["customerId"])["findings"] == []


def test_what_is_sent_again_unmended_comes_back_the_same(server):
    first = server.cyrexa([{"id": private()}, {"id": 5}], **LENIENT)
    before = json.loads(faults(server, import_of(first), "application/json"))
    second = server.cyrexa(before)
    second.problem(422, "faults")
    after = json.loads(faults(server, import_of(second), "application/json"))
    assert after == [{**before[0], "_row": 0}]


def test_an_enveloped_batch_comes_back_with_its_envelope(server):
    sub = private()
    first = server.nexera([{"customerClaims": {"sub": sub, "nationality": "XXX"}}, {}], **LENIENT)
    ids = first.good()
    assert ids[0] is None and ids[1] is not None
    assert first.headers["Link"] == f'</v1/imports/{import_of(first)}>; rel="describedby"'
    refused = json.loads(faults(server, import_of(first), "application/json"))
    assert (refused["customerType"], refused["cmsProjectId"]) == ("Individual", server.project)
    refused["customerData"][0]["customerClaims"]["nationality"] = "CHE"
    assert len(server.nexera(json.dumps(refused)).good()) == 1
    assert len(server.find(externalId=sub)) == 1


def test_lines_are_mended_and_sent_again(server):
    lines = [{"id": private()}, {"id": private(), "customerType": 7}, {"id": private()}]
    headers = {"Content-Type": "application/x-ndjson", **LENIENT}
    first = server.cyrexa("\n".join(map(json.dumps, lines)), **headers)
    first.good()
    refused = faults(server, import_of(first), "application/x-ndjson").splitlines()
    assert len(refused) == 1
    item = json.loads(refused[0])
    assert {name: item[name] for name in lines[1]} == lines[1] and item["_row"] == 1
    item["customerType"] = "Person"
    assert len(server.cyrexa(json.dumps(item) + "\n", **headers).good()["customerIds"]) == 1
    assert all(server.find(externalId=line["id"]) for line in lines)


def test_csv_is_mended_and_sent_again(server):
    ids = [private() for _ in range(4)]
    rows = [["customerName", "id", "customerType", "person/password"],
            ['"A, the ""first"""', ids[0], "Person", "x"], ["B", ids[1], "Persn", private()], ["C", ids[2], "", ""],
            ["D", ids[3], "Organisation", private()]]
    body = "\r\n".join(",".join(row) for row in rows) + "\r\n"
    headers = {"Content-Type": "text/csv", **LENIENT}
    first = server.cyrexa(body, **headers)
    first.good()
    report = faults(server, import_of(first), "text/csv")
    read = list(csv.DictReader(io.StringIO(report, newline="")))
    assert list(read[0]) == rows[0] + ["_row", "_pointer", "_code", "_detail"]
    assert [(row["_row"], row["id"], row["_pointer"], row["person/password"]) for row in read] == [
        ("1", ids[1], "/customerType", ""), ("3", ids[3], "/customerType", "")]
    mended = report.replace(",Persn,", ",Person,").replace(",Organisation,", ",Organization,")
    assert len(server.cyrexa(mended, **headers).good()["customerIds"]) == 2
    assert all(server.find(externalId=value) for value in ids)


# ---- what is told ----

def test_a_batch_that_failed_tells_its_faults(server):
    answer = server.cyrexa([{"id": private()}] * 1200 + [{"id": 5}, {"person": {"pinCode": 7}}])
    answer.problem(422, "faults")
    refused = json.loads(faults(server, import_of(answer), "application/json"))
    assert [(item["_row"], item["_pointer"]) for item in refused] == [(1200, "/id"), (1201, "/person/pinCode")]
    assert refused[1]["person"]["pinCode"] is None
    shown = server.get(f"/v1/imports/{import_of(answer)}").good()
    assert shown["counts"]["faultsByCode"] == {"type": 2}


def test_groups_find_the_one_mistake(server):
    items = [{"id": private()} if index % 3 else {"person": {"telephoneNumbers": [{}, {"number": 7}]}, "id": 7}
             for index in range(3000)]
    answer = server.cyrexa(items, **LENIENT)
    answer.good()
    groups = server.get(f"/v1/imports/{import_of(answer)}/faults", groups="true").good()
    assert (groups["items"], groups["faults"], groups["others"]) == (1000, 2000, 0)
    assert {(group["pointer"], group["code"], group["count"]) for group in groups["groups"]} == {
        ("/id", "type", 1000), ("/person/telephoneNumbers/*/number", "type", 1000)}
    assert groups["groups"][0]["ranges"][:2] == [[0, 0], [3, 3]] and groups["groups"][0]["more"]


def test_a_conflict_names_the_customer_that_is_there(server):
    external = private()
    there = server.keep([{"id": external, "customerName": private()}])[0]
    answer = server.cyrexa([{"id": external, "customerName": private()}, {}], **LENIENT)
    answer.good()
    line = results(server, import_of(answer))[0]
    assert line["outcome"] == "conflict"
    assert [(error["code"], error["customerId"]) for error in line["errors"]] == [("external-id-conflict", there)]
    refused = json.loads(faults(server, import_of(answer), "application/json"))
    assert (refused[0]["id"], refused[0]["_code"]) == (external, "external-id-conflict")


def test_a_dry_run_names_nobody(server):
    with server.nothing_kept():
        answer = server.cyrexa([{"id": private()}, {"id": 5}], query="?dryRun=true", **LENIENT)
        answer.good()
    assert results(server, import_of(answer))[0] == {"index": 0, "outcome": "created", "customerId": None}
    shown = server.get(f"/v1/imports/{import_of(answer)}").good()
    assert (shown["state"], shown["dryRun"], shown["counts"]["created"], shown["counts"]["refused"]) == (
        "aborted", True, 1, 1)


# ---- the ways back ----

def test_undo(server, undoer):
    external = private()
    answer = server.cyrexa([{"id": external}, {}])
    ids = [entry["customerId"] for entry in answer.good()["customerIds"]]
    for _ in range(2):  # the second time as after an answer that got lost
        shown = post(undoer, import_of(answer), "undo").good()
        assert (shown["id"], shown["state"], shown["counts"]["created"]) == (import_of(answer), "undone", 2)
    for customer in ids:
        server.get(f"/v1/customers/{customer}").problem(404, "not-found")
    assert server.find(externalId=external) == []
    assert server.keep([{"id": external, "customerName": private()}]) != ids[:1]


def test_undo_of_what_was_changed_since(server, undoer):
    external = private()
    first = server.cyrexa([{"id": external, "customerName": private()}])
    customer = first.good()["customerIds"][0]["customerId"]
    second = server.cyrexa([{"id": external, "customerName": private()}], query="?onExisting=update")
    assert second.good()["customerIds"][0]["customerId"] == customer
    for answer in (first, second):
        problem = post(undoer, import_of(answer), "undo").problem(409, "import-changed")
        assert problem["customers"] == [customer]
    assert server.get(f"/v1/customers/{customer}").status == 200


def test_undo_of_what_was_never_kept(server, undoer):
    answer = server.cyrexa([{"id": 5}])
    answer.problem(422, "faults")
    problem = post(undoer, import_of(answer), "undo").problem(409, "import-ended")
    assert "committed" in problem["detail"]
    other = server.other_tenant("meddler", "imports:undo", "customers:create")
    kept = import_of(server.cyrexa([{}]))
    for verb in ("undo", "abort"):
        post(undoer, NOTHING, verb).problem(404, "not-found")
        post(other, kept, verb).problem(404, "not-found")
    assert server.get(f"/v1/imports/{kept}").good()["state"] == "committed"


def test_abort_of_a_running_import(server):
    with server.nothing_kept():
        running = Running(server)
        with server.connection() as connection:
            told = events(connection, server, running.id)
            next(told)
            answer = post(server, running.id, "abort")
            assert answer.status in (200, 202) and answer.json["id"] == running.id
            name, data = list(told)[-1]
        assert (name, data["state"], data["code"]) == ("end", "aborted", "import-aborted")
        assert post(server, running.id, "abort").good()["state"] == "aborted"
        running.leave()
