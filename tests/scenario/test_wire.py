"""HTTP as clients speak it, well and badly: chunks, Expect, pipelines, clients that go in the middle."""

import concurrent.futures
import http.client
import json
import time

import pytest

from muster import PATIENCE_S, UUID, Server, head, private, wait_until

CYREXA = "/customer/1.0.0/createBulk"
COUNT_VISIBLE = 3000


def items(count):
    return [{"id": private(), "customerName": private()} for _ in range(count)]


def ids_of(answer):
    return [entry["customerId"] for entry in answer.good()["customerIds"]]


def test_keep_alive(server):
    with server.connection() as connection:
        for _ in range(50):
            body = json.dumps(items(2)).encode()
            answer = connection.call("POST", CYREXA, body, server.cyrexa_headers())
            assert len(ids_of(answer)) == 2
            assert answer.headers["Connection"] in (None, "Keep-Alive", "keep-alive")
            first = connection.http.sock
            connection.call("GET", "/nothing").problem(404, "not-found")
            connection.call("POST", CYREXA, b"[{]", server.cyrexa_headers()).problem(400, "malformed-json")
            assert connection.http.sock is first is not None


def test_connection_close(server):
    with server.wire() as wire:
        wire.send(head("GET", "/healthz", {"Connection": "close"}))
        answer = wire.read()
        answer.good()
        assert answer.headers["Connection"].lower() == "close"
        assert wire.is_closed()


@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title, str.swapcase])
def test_header_names_in_any_case(server, spell):
    headers = {spell(name): value for name, value in server.cyrexa_headers().items()}
    assert len(ids_of(server.call("POST", CYREXA, json.dumps(items(1)).encode(), headers))) == 1


def test_the_scheme_in_any_case(server):
    assert ids_of(server.cyrexa(items(1), Authorization=f"bearer {server.token}"))
    assert ids_of(server.cyrexa(items(1), Authorization=f"BEARER   {server.token} "))


def chunks_of(body, size):
    return (body[at:at + size] for at in range(0, len(body), size))


@pytest.mark.parametrize("size", [1, 7, 1000, 70_000])
def test_chunked(server, size):
    sent = items(3 if size == 1 else 2500)
    body = json.dumps(sent).encode()
    with server.connection() as connection:
        answer = connection.call("POST", CYREXA, chunks_of(body, size),
                                 server.cyrexa_headers(**{"Transfer-Encoding": "chunked"}), chunked=True)
    ids = ids_of(answer)
    assert [server.customer(one)["document"] for one in ids[:2] + ids[-1:]] == sent[:2] + sent[-1:]
    assert len(ids) == len(sent)


def test_chunk_extensions_and_trailers(server):
    body = json.dumps(items(1)).encode()
    with server.wire() as wire:
        wire.send(head("POST", CYREXA, server.cyrexa_headers(**{"Transfer-Encoding": "chunked"})))
        wire.send(b"%x;name=value\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(body), body))
        assert len(ids_of(wire.read())) == 1
        wire.send(head("GET", "/healthz", {}))
        wire.read().good()


@pytest.mark.parametrize("bad", [b"zz\r\n[]\r\n0\r\n\r\n", b"-1\r\n[]\r\n", b"fffffffffffffffffff\r\n[]\r\n"])
def test_bad_chunks(server, bad):
    with server.nothing_kept():
        with server.wire() as wire:
            wire.send(head("POST", CYREXA, server.cyrexa_headers(**{"Transfer-Encoding": "chunked"})) + bad)
            try:
                assert wire.read().status in (400, 413)
            except ConnectionError:
                pass
    server.call("GET", "/healthz").good()


@pytest.mark.parametrize("headers", [{"Content-Length": "x"}, {"Content-Length": "-1"},
                                     {"Content-Length": "2", "Transfer-Encoding": "chunked"}], ids=str)
def test_bad_lengths(server, headers):
    """Both lengths at once is a way to smuggle requests (RFC 9112 section 6.1): never a second request."""
    with server.nothing_kept():
        with server.wire() as wire:
            wire.send(head("POST", CYREXA, server.cyrexa_headers(**headers)) + b"0\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n")
            try:
                assert wire.read().status >= 400
            except ConnectionError:
                pass


@pytest.mark.parametrize("again", ["tenantId", "token", "Authorization"])
def test_a_field_that_names_somebody_stands_once(server, again):
    """A proxy may look at the last of two, where Muster looked at the first."""
    headers = server.cyrexa_headers()
    body = json.dumps(items(1)).encode()
    with server.nothing_kept():
        with server.wire() as wire:
            wire.send(head("POST", CYREXA, {**headers, "Content-Length": str(len(body)),
                                            again.swapcase(): headers[again]}) + body)
            wire.read().problem(400, "bad-parameter")


# ---- Expect ----

def test_expect_gets_100_and_then_the_answer(server):
    body = json.dumps(items(5)).encode()
    with server.wire() as wire:
        wire.send(head("POST", CYREXA, server.cyrexa_headers(Expect="100-continue",
                                                             **{"Content-Length": str(len(body))})))
        assert wire.read().status == 100
        wire.send(body)
        assert len(ids_of(wire.read())) == 5


REFUSED_AT_ONCE = [({"Authorization": "Bearer bad"}, 401), ({"Authorization": None}, 401), ({"token": "bad"}, 401),
                   ({"tenantId": "else"}, 403), ({"Content-Type": "text/plain"}, 415), ({"Accept": "text/html"}, 406)]


@pytest.mark.parametrize("headers, status", REFUSED_AT_ONCE, ids=str)
def test_expect_gets_the_refusal_instead(server, headers, status):
    with server.wire() as wire:
        wire.send(head("POST", CYREXA, server.cyrexa_headers(Expect="100-continue", **headers,
                                                             **{"Content-Length": "5000000"})))
        assert wire.read().status == status


def test_expect_at_an_unknown_address(server):
    with server.wire() as wire:
        wire.send(head("POST", "/nothing", {"Expect": "100-continue", "Content-Length": "5000000"}))
        wire.read().problem(404, "not-found")


@pytest.mark.parametrize("path", ["/healthz", "/v1/customers", "/v1/imports"])
def test_head(server, path):
    with server.wire() as wire:
        wire.send(head("GET", path, server.bearer()))
        got = wire.read()
        wire.send(head("HEAD", path, server.bearer()))
        headed = wire.read(has_body=False)
        assert (headed.status, headed.headers["Content-Length"]) == (200, got.headers["Content-Length"])
        wire.send(head("GET", "/healthz", {}))
        wire.read().good()


# ---- pipelines and parallels ----

def test_a_pipeline_of_small_requests(server):
    with server.wire() as wire:
        wire.send(head("GET", "/healthz", {}) * 500)
        for _ in range(500):
            wire.read().good()


def test_a_pipeline_of_single_customers(server):
    sent = items(100)
    requests = []
    for item in sent:
        body = json.dumps([item]).encode()
        requests.append(head("POST", CYREXA, server.cyrexa_headers(**{"Content-Length": str(len(body))})) + body)
    with server.wire() as wire:
        wire.send(b"".join(requests))
        ids = [ids_of(wire.read())[0] for _ in sent]
    assert len(set(ids)) == len(ids)
    for item, one in zip(sent[::10], ids[::10]):
        assert server.find(externalId=item["id"]) == [one]


def test_sixty_four_connections(server):
    def run(_):
        ids = []
        with server.connection() as connection:
            for item in items(10):
                answer = connection.call("POST", CYREXA, json.dumps([item]).encode(), server.cyrexa_headers())
                ids.append((item["id"], ids_of(answer)[0]))
        return ids

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        pairs = [pair for ids in pool.map(run, range(64)) for pair in ids]
    assert len({one for _, one in pairs}) == 640
    assert {one for _, one in pairs} <= set(server.all_ids())
    for name, one in pairs[::40]:
        assert server.find(externalId=name) == [one]


# ---- slow, cut off, half ----

def test_a_body_byte_by_byte(server):
    sent = items(2)
    body = json.dumps(sent).encode()
    with server.wire() as wire:
        for byte in head("POST", CYREXA, server.cyrexa_headers(**{"Content-Length": str(len(body))})) + body:
            wire.send(bytes([byte]))
        ids = ids_of(wire.read())
    assert [server.customer(one)["document"] for one in ids] == sent


def open_batch(server, sent):
    """A connection that has sent all of a batch but its last byte."""
    body = json.dumps(sent).encode()
    wire = server.wire()
    wire.send(head("POST", CYREXA, server.cyrexa_headers(**{"Content-Length": str(len(body))})) + body[:-1])
    return wire


def newest_import(server, but=()):
    """The newest import's row, when there is a new one."""
    shown = server.imports()
    return shown[0] if shown and shown[0]["id"] not in but else None


def test_nobody_sees_half_of_a_batch(server):
    sent, known = items(COUNT_VISIBLE), {shown["id"] for shown in server.imports()}
    with server.nothing_kept():
        wire = open_batch(server, sent)
        shown = wait_until(lambda: newest_import(server, known), "the import's row")
        assert shown["state"] == "open"
        for item in sent[::500]:
            assert server.find(externalId=item["id"]) == []
    before = server.all_ids()
    wire.send(b"]")
    with wire:
        ids = ids_of(wire.read())
    assert server.all_ids() == sorted(before + ids)
    assert server.get(f"/v1/imports/{shown['id']}").good()["state"] == "committed"


def test_what_an_unfinished_import_holds_is_busy(server):
    sent, known = items(COUNT_VISIBLE), {shown["id"] for shown in server.imports()}
    with open_batch(server, sent) as wire:
        wait_until(lambda: newest_import(server, known), "the import's row")
        busy = wait_until(lambda: refused_as(server, sent[0], "busy"), "the first chunk's identifiers")
        assert [error["index"] for error in busy.json["errors"]] == [0]
        assert busy.headers["Retry-After"]
        wire.send(b"]")
        ids = ids_of(wire.read())
    assert server.keep([sent[0]]) == ids[:1]


def refused_as(server, item, code):
    """The answer to other content under the item's id, when it is that refusal."""
    answer = server.cyrexa([{"id": item["id"], "customerName": private()}])
    return answer if answer.status == 409 and answer.json["code"] == code else None


@pytest.mark.parametrize("count", [1, 500, COUNT_VISIBLE])
def test_a_client_that_goes_in_the_middle(server, count):
    sent, known = items(count), {shown["id"] for shown in server.imports()}
    with server.nothing_kept():
        wire = open_batch(server, sent)
        if count == COUNT_VISIBLE:
            wait_until(lambda: newest_import(server, known), "the import's row")
        wire.socket.close()
        if count == COUNT_VISIBLE:
            wait_until(lambda: newest_import(server, known)["state"] == "aborted", "the import's end")
    # What the aborted import held is free: other content may have it.
    changed = [{"id": sent[0]["id"], "customerName": private()}]
    wait_until(lambda: server.cyrexa(changed).status == 200, "the external id to be free", pause=0.1)


def test_clients_that_go_before_the_body(own_server):
    """They go so soon that their end may come together with their headers; a stop must not wait for them."""
    for _ in range(50):
        with own_server.wire() as wire:
            wire.send(head("POST", CYREXA, own_server.cyrexa_headers(**{"Content-Length": "100000"})))
    for _ in range(50):
        with own_server.wire() as wire:
            wire.send(b"POST /customer/1.0.0/createBulk HT")
    assert len(own_server.keep(items(1))) == 1
    assert len(own_server.all_ids()) == 1
    own_server.stop(10)


def test_a_client_that_does_not_read_its_answer(server):
    sent = items(5000)
    body = json.dumps(sent).encode()
    with server.wire() as wire:
        wire.send(head("POST", CYREXA, server.cyrexa_headers(**{"Content-Length": str(len(body))})) + body)
    wait_until(lambda: server.find(externalId=sent[-1]["id"]), "the batch that was sent whole")
    assert len(server.keep(sent)) == 5000


def test_garbage_is_refused(server):
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100, b"hello\r\n\r\n", b"\r\n" * 100,
                    b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST " + CYREXA.encode() + b" HTTP/1.1\r\n: x\r\n\r\n"):
        with server.wire() as wire:
            wire.send(garbage)
            if not wire.is_silent(0.2):
                try:
                    assert wire.read().status >= 400
                except ConnectionError:
                    pass
    server.call("GET", "/healthz").good()


def test_a_header_that_is_too_long(server):
    with server.wire() as wire:
        wire.send(head("GET", "/healthz", {"X-Long": "x" * 500_000}))
        try:
            assert wire.read().status in (400, 413, 414, 431)
        except ConnectionError:
            pass
    server.call("GET", "/healthz").good()


def test_an_old_client(server):
    with server.wire() as wire:
        wire.send(b"GET /healthz HTTP/1.0\r\n\r\n")
        wire.read().good()
        assert wire.is_closed()


def test_every_answer_has_its_own_request_id(server):
    with server.connection() as connection:
        seen = {connection.call("GET", "/healthz").headers["Request-Id"] for _ in range(20)}
    assert len(seen) == 20
    assert all(UUID.fullmatch(one) for one in seen)


def test_an_idle_connection_is_closed(tmp_path):
    running = Server(tmp_path, "--idle-timeout", "1")
    with running.wire() as wire:
        wire.send(head("GET", "/healthz", {}))
        wire.read().good()
        started = time.monotonic()
        assert wire.is_closed()
        assert time.monotonic() - started < PATIENCE_S
    running.end()


def test_more_connections_than_are_served(tmp_path):
    running = Server(tmp_path, "--connections", "8")
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        def one(_):
            for _ in range(200):
                try:
                    return running.call("GET", "/healthz").status
                except (ConnectionError, http.client.HTTPException):
                    time.sleep(0.02)
            return None
        assert set(pool.map(one, range(64))) == {200}
    running.end()
