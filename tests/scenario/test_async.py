"""Prefer: respond-async: answered when the body is safe, taken in behind that, also across a restart."""

import signal

import pytest

from muster import wait_until

ASYNC = {"Prefer": "respond-async"}


def items(count, start=0, **more):
    return [{"id": f"async-{index}", "customerName": f"Name {index}", **more} for index in range(start, start + count)]


def taken(answer):
    answer.good(202)
    return answer


def ended(server, location):
    state = server.get(location).good()
    return state if state["state"] != "open" else None


def test_answered_first_taken_in_behind(own_server):
    answer = taken(own_server.cyrexa(items(2500), **ASYNC))
    location = answer.headers["location"]
    assert location == f"/v1/imports/{answer.headers['muster-import']}"
    assert answer.json == {"import": answer.headers["muster-import"], "state": "open"}
    assert answer.headers["preference-applied"] == "respond-async"
    state = wait_until(lambda: ended(own_server, location), "the import ends")
    assert state["state"] == "committed" and state["counts"]["created"] == 2500
    results = own_server.get(f"{location}/results").body.decode().splitlines()
    assert len(results) == 2500
    wait_until(lambda: not list((own_server.data / "spool").iterdir()), "its file goes behind its end")


def test_faults_are_told_by_the_import(own_server):
    location = taken(own_server.cyrexa([{"id": 5}], **ASYNC)).headers["location"]
    state = wait_until(lambda: ended(own_server, location), "the import ends")
    assert state["state"] == "aborted" and state["code"] == "faults"
    own_server.nothing_kept()


def test_partial_and_keyed(own_server):
    asked = {"Prefer": "respond-async, handling=lenient", "Idempotency-Key": '"later"'}
    body = items(3) + [{"id": 7}]
    first = taken(own_server.cyrexa(body, **asked))
    wait_until(lambda: ended(own_server, first.headers["location"]), "the import ends")
    again = taken(own_server.cyrexa(body, **asked))
    assert again.body == first.body and again.headers["idempotency-replayed"] == "true"
    own_server.cyrexa(items(3), **asked).problem(422, "idempotency-key-reused")
    assert len(own_server.all_ids()) == 3


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_goes_on_after_a_restart(own_server, how):
    """However the server ended, what it said 202 to is taken in, each customer once, with or without a name."""
    bodies = [[{"customerName": f"{number}-{index}"} for index in range(8000)] for number in range(3)]
    locations = [taken(own_server.cyrexa(body, **ASYNC)).headers["location"] for body in bodies]
    own_server.process.send_signal(how)
    own_server.process.wait(30)
    own_server.start()
    for location in locations:
        state = wait_until(lambda location=location: ended(own_server, location), "the import ends", 60)
        assert state["state"] == "committed" and state["counts"]["created"] == 8000
    assert len(own_server.all_ids()) == 24000


def test_a_waiting_one_is_aborted(own_server):
    first = taken(own_server.cyrexa(items(20000), **ASYNC)).headers["location"]
    second = taken(own_server.cyrexa(items(10, 50000), **ASYNC)).headers["location"]
    own_server.call("POST", f"{second}/abort", headers=own_server.bearer())
    state = wait_until(lambda: ended(own_server, second), "the import ends", 60)
    assert state["state"] in ("aborted", "committed")
    wait_until(lambda: ended(own_server, first), "the import ends", 60)
    kept = 20000 + (10 if state["state"] == "committed" else 0)
    assert len(own_server.all_ids()) == kept


def test_a_body_that_breaks_off_is_not_taken(own_server):
    with own_server.wire() as wire:
        head = "".join(f"{name}: {value}\r\n" for name, value in own_server.cyrexa_headers(**ASYNC).items())
        wire.send(f"POST /customer/1.0.0/createBulk HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 1000\r\n\r\n[{{".encode())
    wait_until(lambda: not list((own_server.data / "spool").iterdir()), "the file is gone")
    assert own_server.imports() == []


def test_a_restart_forgets_a_file_that_was_not_answered(own_server):
    own_server.stop()
    stray = own_server.data / "spool" / "019412d4-0000-7000-8000-000000000000"
    stray.write_bytes(b"musterS1")
    own_server.start()
    own_server.keep([{"id": "alive"}])


def test_a_retry_after_a_restart_meets_what_is_taken_in(own_server):
    """The client sends its request again while the server takes in what it had said 202 to."""
    body, key = [{"customerName": f"{index}"} for index in range(12000)], {"Idempotency-Key": '"again"'}
    location = taken(own_server.cyrexa(body, **ASYNC, **key)).headers["location"]
    own_server.process.send_signal(signal.SIGKILL)
    own_server.process.wait(30)
    own_server.start()

    def answered():
        answer = own_server.cyrexa(body, **key)
        if answer.status == 409:
            answer.problem(409, "idempotency-key-in-flight")
            return None
        return answer

    answer = wait_until(answered, "the retry is answered", 60)
    assert len(answer.good()["customerIds"]) == 12000
    assert location == f"/v1/imports/{answer.headers['muster-import']}"
    assert ended(own_server, location)["state"] == "committed"
    assert len(own_server.all_ids()) == 12000
    wait_until(lambda: not list((own_server.data / "spool").iterdir()), "the file is gone", 60)


def test_an_abort_while_it_waits_lasts(own_server):
    taken(own_server.cyrexa(items(30000), **ASYNC))
    second = taken(own_server.cyrexa(items(10, 50000), **ASYNC)).headers["location"]
    own_server.call("POST", f"{second}/abort", headers=own_server.bearer())
    own_server.process.send_signal(signal.SIGKILL)
    own_server.process.wait(30)
    own_server.start()
    wait_until(lambda: not list((own_server.data / "spool").iterdir()), "all is taken in", 60)
    assert ended(own_server, second)["state"] == "aborted"
    assert len(own_server.all_ids()) == 30000
