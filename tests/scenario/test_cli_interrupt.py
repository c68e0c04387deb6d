"""Imports that are broken off, again and again, and gone on with by the command line that `muster import` prints.

In the end each customer must be there exactly once, whether it has an external id that would show a second
one or not. A break is Ctrl-C at a random moment, or a connection that ends at a random byte of the body or of the
answer. TEST_LEVEL=full does it a thousand times; TEST_SEED repeats a run.
"""

import contextlib
import gzip
import json
import os
import random
import re
import shlex
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest

from fake_server import FakeServer
from muster import LEVEL, PATIENCE_S, binary, clean_environment, private

BREAKS = 1000 if LEVEL in ("full", "soak") else 20
ITEMS = 2500  # more than the server takes at once
SEED = int(os.environ.get("TEST_SEED", time.time_ns() % 1000000))
KINDS = ("signal", "body", "answer")


class CuttingProxy:
    """Passes connections on, each until so many bytes have gone one way; None: for ever."""

    def __init__(self, url):
        address = urllib.parse.urlsplit(url)
        self.target = (address.hostname, address.port)
        self.body = self.answer = None
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.thread = threading.Thread(target=self._accept)
        self.thread.start()

    def close(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listening.close()

    def _accept(self):
        while True:
            try:
                client = self.listening.accept()[0]
            except OSError:
                return
            try:
                server = socket.create_connection(self.target)
            except OSError:
                client.close()
                continue
            for source, sink, limit in ((client, server, self.body), (server, client, self.answer)):
                threading.Thread(target=self._pump, args=(source, sink, limit), daemon=True).start()

    @staticmethod
    def _pump(source, sink, limit):
        with contextlib.suppress(OSError):
            while limit is None or limit > 0:
                piece = source.recv(65536 if limit is None else min(65536, limit))
                if not piece:
                    break
                sink.sendall(piece)
                limit = None if limit is None else limit - len(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Campaign:
    def __init__(self, url, environment, folder, seed=SEED):
        self.proxy = CuttingProxy(url)
        self.environment = clean_environment(**environment)
        self.folder = folder
        self.random = random.Random(seed)
        self.breaks = self.rounds = 0
        self.items, self.ids, self.said = [], [], ""

    def close(self):
        self.proxy.close()

    # ---- what is sent ----

    def _make(self):
        """A new file of customers; every second one without external ids, its format one of four."""
        with_ids = self.rounds % 2 == 0
        items = [{**({"id": private("i")} if with_ids else {}), "customerName": private("n"), "padding": "c" * 400}
                 for _ in range(ITEMS)]
        form = self.rounds // 2 % 4
        if form == 0:
            content = json.dumps(items).encode()
        elif form == 3:
            columns = list(items[0])
            rows = [",".join(columns)] + [",".join(item[name] for name in columns) for item in items]
            content = ("\r\n".join(rows) + "\r\n").encode()
        else:
            content = "".join(json.dumps(item) + "\n" for item in items).encode()
        path = self.folder / f"round-{self.rounds}"
        path.write_bytes(gzip.compress(content) if form == 2 else content)
        return path, items

    # ---- one command ----

    def _run(self, arguments, server, kill_after=None):
        process = subprocess.Popen([binary(), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env={**self.environment, "MUSTER_SERVER": server})
        try:
            if kill_after is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(kill_after)
                process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=4 * PATIENCE_S)
        finally:
            process.kill()
        return process.returncode, stdout.decode(), stderr.decode()

    def _break(self, arguments, kind, size, seconds):
        """One broken attempt: (the command line to go on with, or None when it came through; its ids)."""
        self.proxy.body = self.random.randrange(size) if kind == "body" else None
        self.proxy.answer = self.random.randrange(ITEMS * 60) if kind == "answer" else None
        kill_after = self.random.uniform(0, seconds) if kind == "signal" else None
        code, stdout, stderr = self._run(arguments, self.proxy.url, kill_after)
        if code == 0:
            self.said = stderr
            return None, stdout.split()
        if code == -signal.SIGINT:
            return arguments, []  # so early that it had not begun
        assert code in (5, 6), (code, stderr, SEED)
        again = re.search(r"^muster (import .*)$", stderr, re.MULTILINE)
        assert again, stderr
        return shlex.split(again[1]), []

    def round(self, kinds, breaks):
        path, items = self._make()
        arguments, ids, seconds = ["import", str(path), "--contract", "cyrexa", "--retries", "0"], None, 0.5
        for _ in range(breaks):
            arguments, ids = self._break(arguments, self.random.choice(kinds), path.stat().st_size, seconds)
            if arguments is None:
                break
            self.breaks += 1
        if arguments is not None:
            patient = [word if word != "0" else "30" for word in arguments]
            code, stdout, stderr = self._run(patient, self.proxy_off())
            assert code == 0, (code, stderr, SEED)
            ids, self.said = stdout.split(), stderr
        if not len(ids) == len(set(ids)) == len(items):
            pytest.fail(f"round {self.rounds}: {len(ids)} ids, {len(set(ids))} different; seed {SEED}; {self.said}")
        self.items += items
        self.ids += ids
        self.rounds += 1
        path.unlink()

    def proxy_off(self):
        self.proxy.body = self.proxy.answer = None
        return self.proxy.url

    def run(self, kinds, breaks):
        while self.breaks < breaks:
            self.round(kinds, self.random.randint(1, 5))


def assert_each_once(campaign, stored):
    assert len(campaign.ids) == len(set(campaign.ids)), SEED
    assert sorted(stored) == sorted(campaign.ids), f"{len(stored)} stored of {len(campaign.ids)}, seed {SEED}"


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def test_interruptions_make_no_duplicate(server, folder):
    before = set(server.all_ids())
    credentials = {"MUSTER_CREDENTIALS": str(server.data / "demo.json")}
    with contextlib.closing(Campaign(server.url, credentials, folder)) as campaign:
        campaign.run(KINDS, BREAKS)
        assert_each_once(campaign, [one for one in server.all_ids() if one not in before])
        for at in range(0, len(campaign.ids), max(1, len(campaign.ids) // 200)):
            assert server.customer(campaign.ids[at])["document"] == campaign.items[at]


@pytest.mark.parametrize("remembers", [True, False], ids=["remembers", "forgets"])
def test_the_campaign_tells_a_server_that_forgets(folder, remembers):
    credentials = {"MUSTER_TOKEN": "mk_x", "MUSTER_TENANT": "t", "MUSTER_TENANT_TOKEN": "mt_x"}
    with contextlib.closing(FakeServer()) as fake:
        fake.remembers = remembers
        with contextlib.closing(Campaign(fake.url, credentials, folder, seed=1)) as campaign:
            campaign.run(KINDS if remembers else ("answer",), 6)
            if remembers:
                assert_each_once(campaign, fake.ids)
            else:
                with pytest.raises(AssertionError, match="stored of"):
                    assert_each_once(campaign, fake.ids)
