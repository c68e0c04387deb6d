"""Limits and pressure: quotas of tenants, requests and connections beside each other, slow clients, overload."""

import concurrent.futures
import contextlib
import datetime
import threading
import time

import pytest

from muster import Server, as_body, head, private, wait_until


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


@pytest.fixture
def whole_day():
    """A test about a day must not run over midnight."""
    if seconds_to_midnight() < 60:
        time.sleep(seconds_to_midnight() + 1)


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


def test_items_of_a_day(whole_day, server):
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


def test_a_day_is_remembered_over_a_restart(whole_day, own_server):
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


def test_side_by_side_no_more_than_there_is(whole_day, server):
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


# ---- requests and connections ----

@pytest.fixture
def tight_server(tmp_path):
    running = Server(tmp_path, "--requests", "8", "--tenant-requests", "6", "--header-timeout", "1", "--body-window", "1",
                     "--body-rate-min", "20")
    yield running
    running.end()


def open_body(server, party, size=100000):
    """A bulk request whose body is on its way, as far as the server has agreed to it."""
    wire = server.wire()
    wire.send(head("POST", "/customer/1.0.0/createBulk",
                   party.cyrexa_headers(Expect="100-continue", **{"Content-Length": str(size)})))
    return wire, wire.read().status


def test_too_many_requests_are_told_early(tight_server):
    other = tight_server.other_tenant("other")
    with contextlib.ExitStack() as stack:
        for party, expected in [(tight_server, [100] * 6 + [429]), (other, [100] * 2 + [503])]:
            for status in expected:
                wire, got = open_body(tight_server, party)
                stack.enter_context(wire)
                assert got == status
        for party, status in [(tight_server, 503), (other, 503)]:
            answer = party.cyrexa(items(1))
            answer.problem(status, "overloaded")
            assert int(answer.headers["Retry-After"]) >= 1
        tight_server.call("GET", "/readyz").good()
    wait_until(lambda: tight_server.cyrexa(items(1)).status == 200, "room again")


def test_a_slow_body_is_cut_off_like_one_whose_client_left(tight_server):
    wire, status = open_body(tight_server, tight_server)
    with wire:
        assert status == 100
        wire.send(b'[{"id": "slow"}')
        wire.read().problem(408, "too-slow")
        assert wire.is_closed()
    with tight_server.nothing_kept():
        wait_until(lambda: tight_server.imports() == [] or tight_server.imports()[0]["state"] == "aborted", "aborted")
        tight_server.cyrexa(items(1) + [{"id": 5}]).problem(422, "faults")


def test_a_slow_head_ends_its_connection(tight_server):
    with tight_server.wire() as wire:
        request = head("GET", "/healthz", {})
        with pytest.raises(OSError):
            for byte in request[:-1]:
                wire.send(bytes([byte]))
                time.sleep(0.1)
            raise AssertionError("the head was waited for")
        assert wire.is_closed()


# ---- overload ----

class Flood(threading.Thread):
    """Sends single creates as fast as it gets answers, a connection each; remembers what it was told."""

    def __init__(self, server, number, until):
        super().__init__()
        self.server, self.number, self.until = server, number, until
        self.kept, self.refused, self.wrong = {}, 0, []

    def run(self):
        try:
            with self.server.connection() as connection:
                while time.monotonic() < self.until:
                    self.one(connection, f"f{self.number}-{len(self.kept) + self.refused}")
        except OSError as error:
            self.wrong.append(repr(error))

    def one(self, connection, name):
        answer = connection.call("POST", "/customer/1.0.0/createBulk", as_body([{"id": name}]),
                                 self.server.cyrexa_headers())
        if answer.status == 200:
            self.kept[name] = answer.json["customerIds"][0]["customerId"]
        elif answer.status in (429, 503) and int(answer.headers["Retry-After"]) >= 1:
            self.refused += 1
        else:
            self.wrong.append(answer)


def test_under_overload_everybody_is_answered_and_nothing_is_lost(tmp_path):
    server = Server(tmp_path, "--requests", "4", "--tenant-requests", "3")
    floods = [Flood(server, number, time.monotonic() + 3) for number in range(40)]
    for flood in floods:
        flood.start()
    for flood in floods:
        flood.join()
    assert [wrong for flood in floods for wrong in flood.wrong] == []
    assert sum(flood.refused for flood in floods) > 0
    kept = {name: customer for flood in floods for name, customer in flood.kept.items()}
    assert kept
    assert sorted(server.all_ids()) == sorted(kept.values())
    name, customer = next(iter(kept.items()))
    assert server.find(externalId=name) == [customer]
    server.restart()
    assert sorted(server.all_ids()) == sorted(kept.values())
    server.end()
