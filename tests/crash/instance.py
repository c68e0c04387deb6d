"""A server that may die at any moment: start it, kill it, ask it for everything that it has."""

import contextlib
import json
import os
import pathlib
import selectors
import signal
import socket
import subprocess
import sys
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "postgres"))

import stores  # noqa: E402, beside us
LEVEL = os.environ.get("TEST_LEVEL", "quick")
SANITIZED = LEVEL == "sanitized"
# It walks all that the campaign has left, a million customers or more, beside other suites.
VERIFY_S = 900
PATIENCE_S = 180 if SANITIZED else 60
WINDOW = 64  # requests on their way at a time


def binary():
    """The program under test; an absolute path."""
    named = os.environ.get("MUSTER_BINARY") or os.environ.get("TEST_BINARY")
    for path in [named] if named else ["build/muster", "build/src/cli/muster"]:
        if (ROOT / path).is_file():
            return ROOT / path
    raise RuntimeError(f"no server at {named or 'build/muster'}: run ./dev build, or set MUSTER_BINARY")


def tool(name):
    """What tests/crash/meson.build makes, beside the program or in build."""
    for folder in (binary().parent, ROOT / "build"):
        path = folder / "tests" / "crash" / name
        if path.is_file():
            return path
    raise RuntimeError(f"{name} is not built: ninja -C build")


def clean_environment(more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
    return {**kept, **more}


class StartFailed(Exception):
    """The server ended, or said nothing, instead of becoming ready."""


class Server:
    """`muster serve --demo`; what it needs to be talked to is set once it is ready."""

    def __init__(self, program, data, log, arguments=(), environment=None):
        self.program, self.data, self.log = program, pathlib.Path(data), pathlib.Path(log)
        # One that goes by another name (--url) does not say where it listens.
        self.listen = f"127.0.0.1:{stores.cluster.free_port() if '--url' in arguments else 0}"
        command = [str(program), "serve", "--demo", "--data", str(data), "--listen", self.listen,
                   *stores.arguments(data), *arguments]
        with open(self.log, "ab") as log_file:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=log_file, env=clean_environment(environment or {}))

    def log_tail(self):
        return self.log.read_text(errors="replace")[-1500:]

    def wait_ready(self):
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            line = self.process.stdout.readline().decode() if waiting.select(PATIENCE_S) else ""
        if not line.startswith("muster is ready at "):
            self.kill()
            raise StartFailed(f"{line!r}; {self.log_tail()}")
        self.url = line.split()[-1]
        address = urllib.parse.urlsplit(self.url if self.listen.endswith(":0") else f"http://{self.listen}")
        self.host, self.port = address.hostname, address.port
        self.credentials = json.loads((self.data / "demo.json").read_text())
        return self

    def wait_end(self, seconds=PATIENCE_S):
        """Until it ended or became ready; how far it came does not matter."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            waiting.select(seconds)

    def wait_dead(self, seconds):
        """Until it died by itself, or the time is over."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """SIGTERM; answers its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_S)
        finally:
            self.kill()

    def bearer(self):
        return f"Bearer {self.credentials['accessToken']}"


class Reader:
    """Many small requests on one connection, sent ahead of their answers."""

    def __init__(self, server):
        self.socket = socket.create_connection((server.host, server.port), timeout=PATIENCE_S)
        self.stream = self.socket.makefile("rb")
        self.head = f"HTTP/1.1\r\nHost: crash\r\nAuthorization: {server.bearer()}\r\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def _request(self, path, body):
        if body is None:
            return f"GET {path} {self.head}\r\n".encode()
        head = f"POST {path} {self.head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def _answer(self):
        status, size = int(self.stream.readline().split()[1]), 0
        while (line := self.stream.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
        return status, json.loads(self.stream.read(size))

    def many(self, requests):
        """(status, document) of each (path, body or None), in order."""
        requests = list(requests)
        for first in range(0, len(requests), WINDOW):
            some = requests[first:first + WINDOW]
            self.socket.sendall(b"".join(self._request(path, body) for path, body in some))
            for _ in some:
                yield self._answer()

    def get(self, path):
        (status, document), = self.many([(path, None)])
        if status != 200:
            raise AssertionError(f"GET {path}: {status} {document}")
        return document

    def pages(self, path, members):
        """All rows of a list."""
        cursor = ""
        while cursor is not None:
            page = self.get(f"{path}?limit=1000{cursor}")
            yield from page[members]
            cursor = f"&cursor={page['next']}" if "next" in page else None

    def customers(self):
        """(id, external id, import id) of every customer; recipes put the external id into the name."""
        return [(row["id"], row["card"].get("name"), row["import"]) for row in self.pages("/v1/customers", "customers")]

    def imports(self):
        return {row["id"]: row for row in self.pages("/v1/imports", "imports")}

    def documents(self, ids):
        """{id: document, or None where there is none}."""
        answers = self.many((f"/v1/customers/{customer_id}", None) for customer_id in ids)
        return {customer_id: body["document"] if status == 200 else None
                for customer_id, (status, body) in zip(ids, answers)}

    def find(self, external_ids):
        """{external id: [id, …]}."""
        answers = self.many((f"/v1/customers?externalId={name}", None) for name in external_ids)
        return {name: [row["id"] for row in body.get("customers", [])]
                for name, (_, body) in zip(external_ids, answers)}

    def passwords(self, passwords):
        """{id: whether this is its password} of {id: password}."""
        answers = self.many((f"/v1/customers/{customer_id}/verify",
                             json.dumps({"kind": "password", "value": password}).encode())
                            for customer_id, password in passwords.items())
        return {customer_id: status == 200 and body["match"]
                for customer_id, (status, body) in zip(passwords, answers)}


def verify(program, data):
    """`muster verify` over a stopped store: (exit status, what it printed)."""
    command = [str(program), "verify", "--data", str(data), *stores.arguments(data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=VERIFY_S, env=clean_environment({}),
                          check=False)
    return done.returncode, done.stdout + done.stderr
