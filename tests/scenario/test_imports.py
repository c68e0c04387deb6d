"""What became of a batch: its results in order, its progress while it runs, and who may know."""

import csv
import io
import json

import pytest

from muster import UUID, head, private, wait_until

NOTHING = "00000000-0000-7000-8000-000000000000"
REPORTS = ["/results", "/faults", "/faults?groups=true", "/events"]


def import_of(answer):
    return answer.headers["Muster-Import"]


def results(party, import_id):
    answer = party.get(f"/v1/imports/{import_id}/results")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/x-ndjson", answer
    return [json.loads(line) for line in answer.body.splitlines()]


def events(connection, party, import_id):
    """Subscribes; the events as they come, as (name, data)."""
    connection.http.request("GET", f"/v1/imports/{import_id}/events", headers=party.bearer())
    answer = connection.http.getresponse()
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/event-stream"
    name = None
    for line in iter(answer.readline, b""):
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


class Running:
    """A batch whose body is sent by halves: after the first an import is open."""

    def __init__(self, party, count=2500):
        self.party, self.wire = party, party.server.wire()
        self.items = [{"id": private(), "customerName": private()} for _ in range(count)]
        self.wire.send(head("POST", "/customer/1.0.0/createBulk",
                            party.cyrexa_headers(**{"Transfer-Encoding": "chunked"})))
        self._chunk(("[" + ",".join(json.dumps(item) for item in self.items)).encode())
        self.id = wait_until(self._open, "the import is open")

    def _chunk(self, data):
        self.wire.send(b"%x\r\n%s\r\n" % (len(data), data))

    def _open(self):
        newest = self.party.get("/v1/imports", limit=1).good()["imports"]
        return newest and newest[0]["state"] == "open" and newest[0]["id"]

    def finish(self):
        self._chunk(b"]")
        self.wire.send(b"0\r\n\r\n")
        answer = self.wire.read()
        assert import_of(answer) == self.id
        return answer

    def leave(self):
        self.wire.socket.close()


def test_results_are_in_the_order_of_the_body(server):
    items = [{"id": private(), "customerName": private()} for _ in range(2345)]
    first = server.cyrexa(items)
    ids = [entry["customerId"] for entry in first.good()["customerIds"]]
    assert results(server, import_of(first)) == [
        {"index": index, "outcome": "created", "customerId": customer} for index, customer in enumerate(ids)]
    second = server.cyrexa(items[:3] + [{}] + items[3:5])
    outcomes = results(server, import_of(second))
    assert [line["outcome"] for line in outcomes] == ["existing"] * 3 + ["created"] + ["existing"] * 2
    assert [line["customerId"] for line in outcomes if line["outcome"] == "existing"] == ids[:5]


def test_results_as_csv(server):
    answer = server.nexera([{}, {}, {}])
    ids = answer.good()
    headers = server.bearer(Accept="text/csv")
    report = server.call("GET", f"/v1/imports/{import_of(answer)}/results", headers=headers)
    assert report.status == 200 and report.headers["Content-Type"] == "text/csv"
    assert report.body.endswith(b"\r\n")
    rows = list(csv.DictReader(io.StringIO(report.body.decode(), newline="")))
    assert rows == [{"index": str(index), "outcome": "created", "customerId": customer}
                    for index, customer in enumerate(ids)]


def test_nothing_refused(server):
    cyrexa = import_of(server.cyrexa([{}, {}]))
    assert server.get(f"/v1/imports/{cyrexa}/faults").good() == []
    assert server.get(f"/v1/imports/{cyrexa}/faults", groups="true").good() == {
        "items": 0, "faults": 0, "groups": [], "others": 0}
    nexera = import_of(server.nexera([{}]))
    assert server.get(f"/v1/imports/{nexera}/faults").good() == server.nexera_body([])


def test_links_lead_to_what_is_there(server):
    shown = server.get(f"/v1/imports/{import_of(server.cyrexa([{}]))}").good()
    assert set(shown["links"]) == {"results", "faults"}
    for link in shown["links"].values():
        assert server.get(link).status == 200


@pytest.mark.parametrize("report", REPORTS)
def test_reports_are_of_the_tenant_and_need_a_scope(server, report):
    mine = import_of(server.cyrexa([{}]))
    other = server.other_tenant("stranger" + str(REPORTS.index(report)))
    other.server.call("GET", f"/v1/imports/{mine}{report}", headers=other.bearer()).problem(404, "not-found")
    for wrong in (NOTHING, "x", "%2e%2e"):
        server.call("GET", f"/v1/imports/{wrong}{report}", headers=server.bearer()).problem(404, "not-found")
    reader = server.with_scopes("customers:read", "customers:create", "imports:undo")
    problem = server.call("GET", f"/v1/imports/{mine}{report}", headers=reader.bearer()).problem(403, "scope-missing")
    assert "imports:read" in problem["detail"]
    headers = server.bearer(Accept="image/png")
    server.call("GET", f"/v1/imports/{mine}{report}", headers=headers).problem(406, "not-acceptable")
    more = "&" if "?" in report else "?"
    server.call("GET", f"/v1/imports/{mine}{report}{more}page=2", headers=server.bearer()).problem(400, "bad-parameter")


@pytest.mark.parametrize("report", REPORTS)
def test_head(server, report):
    mine = import_of(server.cyrexa([{}]))
    answer = server.call("HEAD", f"/v1/imports/{mine}{report}", headers=server.bearer())
    assert answer.status == 200 and answer.body == b""


def test_progress_of_a_running_import(server):
    running = Running(server)
    with server.connection() as connection:
        told = events(connection, server, running.id)
        name, data = next(told)
        assert name == "progress" and {"received", "decided", "created", "refused", "bytes"} <= set(data)
        shown = server.get(f"/v1/imports/{running.id}").good()
        assert shown["counts"]["created"] == 0 and set(shown["progress"]) >= {"received", "decided"}
        assert set(shown["links"]) == {"events"}
        for report in ("/results", "/faults"):
            server.get(f"/v1/imports/{running.id}{report}").problem(409, "busy")
        running.finish().good()
        rest = list(told)
    assert all(name == "progress" for name, _ in rest[:-1])
    name, data = rest[-1]
    assert (name, data["state"], data["counts"]["created"]) == ("end", "committed", len(running.items))


def test_progress_ends_when_the_client_leaves(server):
    running = Running(server)
    with server.connection() as connection:
        told = events(connection, server, running.id)
        next(told)
        running.leave()
        name, data = list(told)[-1]
    assert (name, data["state"]) == ("end", "aborted")


def test_events_of_an_import_that_has_ended(server):
    with server.connection() as connection:
        told = list(events(connection, server, import_of(server.cyrexa([{}]))))
    assert [(name, data["state"]) for name, data in told] == [("end", "committed")]


def test_a_stop_does_not_wait_for_subscribers(own_server):
    running = Running(own_server)
    with own_server.connection() as connection:
        told = events(connection, own_server, running.id)
        next(told)
        running.leave()
        own_server.stop()
        assert all(name in ("progress", "end") for name, _ in told)


def test_a_reader_that_leaves(server):
    mine = import_of(server.cyrexa([{"customerName": private()} for _ in range(5000)]))
    for _ in range(5):
        with server.wire() as wire:
            wire.send(head("GET", f"/v1/imports/{mine}/results", server.bearer()))
            assert wire.read(has_body=False).status == 200
    assert len(results(server, mine)) == 5000


def test_abort_and_undo_need_their_scopes(server):
    mine = import_of(server.cyrexa([{}]))
    for scopes, verb, missing in ((["imports:read", "customers:create"], "undo", "imports:undo"),
                                  (["imports:read", "customers:read"], "abort", "customers:create")):
        party = server.with_scopes(*scopes)
        problem = server.call("POST", f"/v1/imports/{mine}/{verb}", headers=party.bearer()).problem(403, "scope-missing")
        assert missing in problem["detail"]
    server.call("POST", f"/v1/imports/{mine}/abort?now=1", headers=server.bearer()).problem(400, "bad-parameter")
    for verb in ("undo", "abort"):
        server.call("POST", f"/v1/imports/x/{verb}", headers=server.bearer()).problem(404, "not-found")
        server.call("GET", f"/v1/imports/{mine}/{verb}", headers=server.bearer()).problem(405, "method-not-allowed")
    server.call("POST", f"/v1/imports/{mine}/abort", headers=server.bearer()).problem(409, "import-ended")
    assert server.get(f"/v1/imports/{mine}").good()["state"] == "committed"


def test_ids_in_results_are_those_of_customers(server):
    mine = import_of(server.cyrexa([{"id": private()}, {}]))
    for line in results(server, mine):
        assert UUID.fullmatch(line["customerId"])
        assert server.customer(line["customerId"])["import"] == mine
