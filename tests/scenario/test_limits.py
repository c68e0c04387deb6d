"""Limits and pressure: quotas of tenants, requests and connections beside each other, slow clients, overload."""

import concurrent.futures
import datetime
import json

import pytest

from muster import as_body, head, private


def items(count, prefix="i"):
    return [{"id": f"{prefix}{number}", "customerName": private("n")} for number in range(count)]


def seconds_to_midnight():
    now = datetime.datetime.now(datetime.timezone.utc)
    midnight = (now + datetime.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - now).total_seconds()


def assert_until_midnight(answer):
    """Retry-After says when the day ends, within the moments that the test took."""
    retry = int(answer.headers["Retry-After"])
    assert abs(retry - seconds_to_midnight()) < 30 or retry <= 30, answer


# ---- quotas ----

def test_items_and_bytes_of_a_request(server):
    party = server.other_tenant("small", itemsPerRequest=3, bytesPerRequest=1000)
    with party.nothing_kept():
        party.cyrexa(items(4)).problem(413, "too-many-items")
        party.cyrexa([{"customerName": "x" * 1000}]).problem(413, "body-too-large")
    party.keep(items(3))
    assert len(party.all_ids()) == 3


def test_a_body_that_is_too_large_is_refused_before_it_comes(server):
    party = server.other_tenant("patient", bytesPerRequest=1000)
    with server.wire() as wire:
        wire.send(head("POST", "/customer/1.0.0/createBulk",
                       party.cyrexa_headers(Expect="100-continue", **{"Content-Length": "1001"})))
        wire.read().problem(413, "body-too-large")


def test_a_chunked_body_is_counted_as_it_comes(server):
    party = server.other_tenant("chunky", bytesPerRequest=1000)
    with party.nothing_kept(), server.connection() as connection:
        parts = [b"["] + [as_body(item) + b"," for item in items(200)] + [b"{}]"]
        connection.call("POST", "/customer/1.0.0/createBulk", iter(parts), party.cyrexa_headers(),
                        chunked=True).problem(413, "body-too-large")


def test_items_of_a_day(server):
    party = server.other_tenant("daily", itemsPerDay=10)
    party.keep(items(6))
    party.cyrexa([{"id": 5}]).problem(422, "faults")  # what is not kept does not count
    answer = party.cyrexa(items(5, "more"))
    answer.problem(429, "quota")
    assert_until_midnight(answer)
    party.keep(items(4, "last"))
    answer = party.cyrexa(items(1, "none"))
    answer.problem(429, "quota")
    assert_until_midnight(answer)
    party.cyrexa(items(11, "never")).problem(429, "quota")  # told first: the day is used up
    assert len(party.all_ids()) == 10
    server.admin("PATCH", "/daily", {"itemsPerDay": 11}).good()
    party.keep(items(1, "one"))
    party.cyrexa(items(1, "none")).problem(429, "quota")


def test_a_day_is_remembered_over_a_restart(own_server):
    party = own_server.other_tenant("daily", itemsPerDay=10)
    free = own_server.other_tenant("free")
    party.keep(items(7))
    free.keep(items(5))
    own_server.restart()
    party.cyrexa(items(4, "more")).problem(429, "quota")
    own_server.admin("PATCH", "/free", {"itemsPerDay": 6}).good()
    free.cyrexa(items(2, "more")).problem(429, "quota")
    free.keep(items(1, "more"))
    party.keep(items(3, "more"))


def test_side_by_side_no_more_than_there_is(server):
    party = server.other_tenant("crowd", itemsPerDay=50)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: party.cyrexa(items(3, f"c{number}-")), range(40)))
    kept = [answer for answer in answers if answer.status == 200]
    for answer in answers:
        if answer.status != 200:
            answer.problem(429, "quota")
            assert int(answer.headers["Retry-After"]) >= 1
    assert len(party.all_ids()) == 3 * len(kept) <= 50
    left = 50 - 3 * len(kept)
    if left:
        party.keep(items(left, "left"))
    party.cyrexa(items(1, "none")).problem(429, "quota")
