"""The proxy itself: what comes through it, by plan, to a server that repeats what it is sent."""

import contextlib
import socket
import threading
import time

import pytest

from proxy import CLOSE, RESET, SILENT, Plan, Proxy


@pytest.fixture
def echo():
    """Sends back each connection's bytes; the port, and the sizes of what was received at a time."""
    listening, sizes = socket.create_server(("127.0.0.1", 0)), []

    def repeat(connection):
        with contextlib.suppress(OSError), connection:
            while piece := connection.recv(65536):
                sizes.append(len(piece))
                connection.sendall(piece)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=repeat, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listening.getsockname()[1], sizes
    listening.close()


def through(port, plan, data):
    """What comes back of the data, and how it ended: eof, reset or silence."""
    with Proxy("127.0.0.1", port, lambda: plan) as proxy:
        with socket.create_connection((proxy.host, proxy.port), timeout=1) as client:
            got = b""
            try:
                client.sendall(data)
                while len(got) < len(data):
                    piece = client.recv(65536)
                    if not piece:
                        return got, "eof"
                    got += piece
                return got, "whole"
            except TimeoutError:
                return got, "silence"
            except ConnectionError:
                return got, "reset"


DATA = bytes(range(256)) * 20
ROWS = {
    "all": (Plan(), DATA, "whole"),
    "cut on the way": (Plan(up=1000), None, "eof"),
    "nothing passes": (Plan(up=0), b"", "eof"),
    "cut on the way back": (Plan(down=1000), DATA[:1000], "eof"),
    "reset on the way back": (Plan(down=1000, end=RESET), None, "reset"),
    "silent on the way": (Plan(up=1000, end=SILENT), None, "silence"),
    "silent on the way back": (Plan(down=1, end=SILENT), DATA[:1], "silence"),
    "by the byte": (Plan(segment=1), DATA, "whole"),
}


@pytest.mark.parametrize("row", ROWS)
def test_plan(echo, row):
    plan, expected, end = ROWS[row]
    got, ended = through(echo[0], plan, DATA)
    assert ended == end
    assert expected is None and DATA.startswith(got) or got == expected


def test_delay(echo):
    began = time.monotonic()
    assert through(echo[0], Plan(segment=1000, delay_s=0.05), DATA)[1] == "whole"
    assert time.monotonic() - began >= 0.3
    assert max(echo[1]) <= 1000


def test_close_is_the_standard():
    assert Plan().end == CLOSE
