"""One key, one import: the first answer again, whoever asks, however often, and across a restart."""

import concurrent.futures
import json
import time

import pytest

from muster import head, private, wait_until
from test_imports import import_of

FORMS = {
    "json": ("application/json", lambda items: json.dumps(items)),
    "ndjson": ("application/x-ndjson", lambda items: "".join(json.dumps(item) + "\n" for item in items)),
    "csv": ("text/csv", lambda items: "customerName\n" + "".join(item["customerName"] + "\n" for item in items)),
}


def some(count):
    """Without external ids: what is kept twice is seen."""
    return [{"customerName": private()} for _ in range(count)]


def until_free(send):
    """Sends until the key is not in flight any more."""
    while True:
        answer = send()
        if answer.status != 409 or answer.json["code"] != "idempotency-key-in-flight":
            return answer
        answer.problem(409, "idempotency-key-in-flight")
        assert int(answer.headers["Retry-After"]) >= 1
        time.sleep(0.02)


def of_key(party, key):
    return [entry["id"] for entry in party.get("/v1/imports", idempotencyKey=key).good()["imports"]]


class Cut:
    """A keyed batch of which a part has been sent, and kept as far as chunks are whole."""

    def __init__(self, party, key, items, sent):
        self.party, self.key, self.items = party, key, items
        self.wire = party.server.wire()
        headers = party.cyrexa_headers(**{"Transfer-Encoding": "chunked", "Idempotency-Key": key})
        self.wire.send(head("POST", "/customer/1.0.0/createBulk", headers))
        part = json.dumps(items[:sent])[:-1].encode()
        self.wire.send(b"%x\r\n%s\r\n" % (len(part), part))
        self.id = wait_until(lambda: of_key(party, key), "the import is open")[0]

    def leave(self):
        self.wire.socket.close()

    def retry(self):
        return until_free(lambda: self.party.cyrexa(self.items, **{"Idempotency-Key": self.key}))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("prefer", ["handling=strict", "handling=lenient", "return=minimal"])
def test_the_first_answer_again(server, form, prefer):
    media_type, write = FORMS[form]
    headers = {"Content-Type": media_type, "Prefer": prefer, "Idempotency-Key": f'"{private()}"'}
    body = write(some(1234))
    first = server.cyrexa(body, **headers)
    first.good()
    assert "Idempotency-Replayed" not in first.headers
    before = len(server.all_ids())
    for _ in range(2):
        again = until_free(lambda: server.cyrexa(body, **headers))
        assert (again.status, again.body) == (200, first.body)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert import_of(again) == import_of(first)
    assert len(server.all_ids()) == before
    until_free(lambda: server.cyrexa(body + (" " if form == "json" else "x\n"), **headers))
    other = until_free(lambda: server.cyrexa(write(some(3)), **headers))
    other.problem(422, "idempotency-key-reused")
    terms = {**headers, "Prefer": f"{prefer}, validation=strict"}
    until_free(lambda: server.cyrexa(body, **terms)).problem(422, "idempotency-key-reused")


def test_refusals_are_answers_too(server):
    headers = {"Idempotency-Key": private()}
    body = [*some(3), {"id": 5}]
    first = server.cyrexa(body, **headers)
    first.problem(422, "faults")
    again = until_free(lambda: server.cyrexa(body, **headers))
    assert (again.status, again.body) == (422, first.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Request-Id"] != first.headers["Request-Id"]


def test_a_body_that_is_malformed_does_not_use_up_its_key(server):
    headers = {"Idempotency-Key": private()}
    server.cyrexa('[{"customerName": "', **headers).problem(400, "malformed-json")
    answer = until_free(lambda: server.cyrexa(some(2), **headers))
    assert len(answer.good()["customerIds"]) == 2 and "Idempotency-Replayed" not in answer.headers


def test_sixteen_at_once_make_one_import(own_server):
    key, items = private(), some(3000)

    def send(_):
        return until_free(lambda: own_server.cyrexa(items, **{"Idempotency-Key": key}))

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(16)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert len(own_server.imports()) == 1
    assert len(own_server.all_ids()) == 3000
    assert of_key(own_server, key) == [import_of(answers[0])]


def test_a_key_in_flight(server):
    running = Cut(server, private(), some(1500), 1200)
    answer = server.cyrexa(running.items, **{"Idempotency-Key": running.key})
    answer.problem(409, "idempotency-key-in-flight")
    assert int(answer.headers["Retry-After"]) >= 1
    running.leave()
    answer = running.retry()
    assert len(answer.good()["customerIds"]) == 1500
    assert import_of(answer) == running.id


@pytest.mark.parametrize("count, sent", [(2500, 1500), (7700, 6400)])
@pytest.mark.parametrize("restart", [False, True])
def test_cut_off_and_sent_again(own_server, count, sent, restart):
    running = Cut(own_server, private(), some(count), sent)
    running.leave()
    if restart:
        own_server.restart()
    assert own_server.all_ids() == []
    assert of_key(own_server, running.key) == [running.id]
    answer = running.retry()
    ids = [entry["customerId"] for entry in answer.good()["customerIds"]]
    assert import_of(answer) == running.id and "Idempotency-Replayed" not in answer.headers
    assert own_server.all_ids() == sorted(ids) and len(ids) == count
    for at in (0, 999, 1000, sent, count - 1):
        assert own_server.customer(ids[at])["document"] == running.items[at]
    own_server.restart()
    again = running.retry()
    assert again.body == answer.body and again.headers["Idempotency-Replayed"] == "true"
    assert len(own_server.all_ids()) == count


def test_looking_for_the_import_of_a_key(server):
    key = private()
    assert of_key(server, key) == []
    answer = server.nexera([{}], **{"Idempotency-Key": f'"{key}"'})
    answer.good()
    assert of_key(server, key) == [import_of(answer)]
    other = server.other_tenant("keyless", "imports:read")
    assert of_key(other, key) == []
    server.get("/v1/imports", idempotencyKey="").problem(400, "bad-parameter")
