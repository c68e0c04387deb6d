"""A real server as the tests see it: start, stop, credentials, HTTP, and the search for leaks.

HTTP goes over http.client, or over a bare socket (Wire) where the bytes themselves matter: chunks,
Expect, pipelines. What a test sends as personal or secret carries MARK, so that after each module
the log and every file of the data folder can be searched for it.
"""

import base64
import contextlib
import http.client
import itertools
import json
import os
import pathlib
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "postgres"))

import stores  # noqa: E402, beside us
LEVEL = os.environ.get("TEST_LEVEL", "quick")
SANITIZED = LEVEL == "sanitized"
PATIENCE_S = 30 if LEVEL == "quick" else 120
VERIFY_S = 600  # it reads all that a module's server has taken

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MARK = "Pv7Zq"
_marks = itertools.count(1)
CREDENTIALS = ("accessToken", "tenantToken", "apiKey", "clientSecret", "operatorKey")
CREDENTIAL_FILES = ("demo.json", "operator.key")


def binary():
    """The program under test; an absolute path."""
    named = os.environ.get("MUSTER_BINARY") or os.environ.get("TEST_BINARY")
    for path in [named] if named else ["build/muster", "build/src/cli/muster"]:
        if (ROOT / path).is_file():
            return str(ROOT / path)
    raise RuntimeError(f"no server at {named or 'build/muster'}: run ./dev build, or set TEST_BINARY")


def clean_environment(**more):
    """Ours without MUSTER_…, which the program under test would read."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")}
    return {**kept, **more}


def private(text=""):
    """A value that must never be met in a log or a file: unique, and marked."""
    return f"{text}{MARK}{next(_marks):06d}"


free_port = stores.cluster.free_port


def wait_until(condition, what, seconds=PATIENCE_S, pause=0.02):
    """Waits for the condition to hold and answers what it answered."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(pause)


class Answer:
    """An HTTP answer, read whole."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {dict(self.headers)} {self.body[:2000]!r}"

    def good(self, status=200):
        assert self.status == status, self
        return self.json if self.body else None

    def problem(self, status, code):
        """The document, once it has proved to be the problem document that is expected."""
        assert self.status == status, self
        assert self.headers["Content-Type"] == "application/problem+json", self
        problem = self.json
        assert problem["code"] == code, self
        assert problem["status"] == status, self
        assert problem["type"] == f"urn:muster:problem:{code}", self
        assert problem["title"] and problem["detail"], self
        assert UUID.fullmatch(problem["instance"]), self
        assert problem["instance"] == self.headers["Request-Id"], self
        return problem


class Connection:
    """Keeps one connection alive over several requests."""

    def __init__(self, host, port, timeout=PATIENCE_S):
        self.http = http.client.HTTPConnection(host, port, timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    def call(self, method, path, body=None, headers=None, chunked=False):
        self.http.request(method, path, body=body, headers=headers or {}, encode_chunked=chunked)
        answer = self.http.getresponse()
        return Answer(answer.status, answer.headers, answer.read())


class Wire:
    """A bare socket: sends what it is told, reads answers one by one, interim ones too."""

    def __init__(self, host, port, timeout=PATIENCE_S):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the server has closed the connection")
        self.received += piece

    def read(self, has_body=True):
        """The next answer; the ones with 1xx count."""
        while b"\r\n\r\n" not in self.received:
            self._more()
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        headers = http.client.HTTPMessage()
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name] = value.strip()
        if has_body and headers["Transfer-Encoding"] == "chunked":
            return Answer(status, headers, self._take_chunks())
        size = int(headers["Content-Length"] or 0) if has_body and status >= 200 else 0
        return Answer(status, headers, self._take(size))

    def _take(self, size):
        while len(self.received) < size:
            self._more()
        taken, self.received = self.received[:size], self.received[size:]
        return taken

    def _take_chunks(self):
        """A body that was made while it was sent (RFC 9112 section 7.1), without trailers."""
        body = b""
        while True:
            while b"\r\n" not in self.received:
                self._more()
            line, _, self.received = self.received.partition(b"\r\n")
            piece = self._take(int(line, 16) + 2)[:-2]
            if not piece:
                return body
            body += piece

    def is_silent(self, seconds):
        """Whether nothing arrives for that long."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.socket, selectors.EVENT_READ)
            return not self.received and not waiting.select(seconds)

    def is_closed(self):
        try:
            return not self.received and self.socket.recv(1) == b""
        except ConnectionError:
            return True


def head(method, path, headers):
    """The first bytes of a request, up to its body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: test"] + [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def as_body(value):
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode()


class Party:
    """Somebody who may talk to the server: a tenant's credentials and what one does with them."""

    def __init__(self, server, tenant, token, tenant_token, project="demo"):
        self.server, self.tenant, self.token = server, tenant, token
        self.tenant_token, self.project = tenant_token, project

    def bearer(self, **more):
        return {"Authorization": f"Bearer {self.token}", **more}

    def cyrexa_headers(self, **more):
        """Of the documented request; a header that is set to None is left out."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json",
                   "tenantId": self.tenant, "token": self.tenant_token, **more}
        return {name: value for name, value in headers.items() if value is not None}

    def nexera_headers(self, **more):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json",
                   "Accept": "application/json", **more}
        return {name: value for name, value in headers.items() if value is not None}

    def cyrexa(self, items, query="", **headers):
        return self.server.call("POST", "/customer/1.0.0/createBulk" + query, as_body(items),
                                self.cyrexa_headers(**headers))

    def nexera_body(self, items, **more):
        return {"customerType": "Individual", "customerData": items, "cmsProjectId": self.project, **more}

    def nexera(self, items, query="", envelope=None, **headers):
        """Sends the items in an envelope; bytes or text go as they are."""
        body = items if isinstance(items, (bytes, str)) else self.nexera_body(items, **(envelope or {}))
        return self.server.call("POST", "/customers/batch" + query, as_body(body), self.nexera_headers(**headers))

    def keep(self, items):
        """Sends Cyrexa items that must be taken; their ids."""
        answer = self.cyrexa(items).good()
        assert answer["tenantId"] == self.tenant
        ids = [entry["customerId"] for entry in answer["customerIds"]]
        assert len(ids) == len(items)
        return ids

    def keep_nexera(self, items):
        ids = self.nexera(items).good()
        assert len(ids) == len(items)
        return ids

    def get(self, path, **query):
        query = "?" + urllib.parse.urlencode(query) if query else ""
        return self.server.call("GET", path + query, headers=self.bearer())

    def customer(self, customer_id):
        return self.get(f"/v1/customers/{customer_id}").good()

    def find(self, **query):
        """Ids of the customers of a query, in the order of the answer."""
        return [customer["id"] for customer in self.get("/v1/customers", **query).good()["customers"]]

    def all_ids(self, limit=1000):
        """Ids of all customers, page by page."""
        ids, query = [], {"limit": limit}
        while True:
            page = self.get("/v1/customers", **query).good()
            ids += [customer["id"] for customer in page["customers"]]
            if "next" not in page:
                return ids
            query["cursor"] = page["next"]

    def imports(self):
        return self.get("/v1/imports", limit=1000).good()["imports"]

    def verify(self, customer_id, kind, value):
        body = as_body({"kind": kind, "value": value})
        answer = self.server.call("POST", f"/v1/customers/{customer_id}/verify", body, self.bearer())
        match = answer.good()
        assert set(match) == {"match"}
        return match["match"]

    @contextlib.contextmanager
    def nothing_kept(self):
        """No customer may come or go within."""
        before = self.all_ids()
        yield
        assert self.all_ids() == before


class Server(Party):
    """`muster serve --demo` over a data folder; also the demo tenant as a party."""

    started = []  # every process, so that none outlives the session

    def __init__(self, folder, *arguments, environment=None, listen="127.0.0.1:0"):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.arguments, self.environment, self.listen = arguments, environment or {}, listen
        self.process = None
        self.secrets = set()  # what leak search looks for besides MARK
        self.start()

    def command(self, listen):
        return [binary(), "serve", "--demo", "--data", str(self.data), "--listen", listen,
                *stores.arguments(self.data), *self.arguments]

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(self.listen), stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log,
                                            env=clean_environment(**self.environment))
        self.started.append(self.process)
        line = self.process.stdout.readline().decode()
        ready = re.fullmatch(r"muster is ready at (https?://\S+)\n", line)
        assert ready, f"{line!r}, log: {self.log.read_text()[-2000:]}"
        self.url = ready[1]
        address = self.url if self.listen.endswith(":0") else f"http://{self.listen}"
        self.host, self.port = urllib.parse.urlsplit(address).hostname, urllib.parse.urlsplit(address).port
        self.credentials = json.loads((self.data / "demo.json").read_text())
        self.secrets.update(self.credentials[name] for name in CREDENTIALS)
        super().__init__(self, self.credentials["tenantId"], self.credentials["accessToken"],
                         self.credentials["tenantToken"], self.credentials["cmsProjectId"])

    def stop(self, seconds=PATIENCE_S):
        """SIGTERM; it must end well and in time."""
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(seconds) == 0, self.log.read_text()[-2000:]
        finally:
            process.kill()
            process.stdout.close()

    def restart(self):
        """Stops, and starts again at the same address, so that it is still the issuer of its tokens."""
        self.stop()
        self.listen = f"{self.host}:{self.port}"
        self.start()

    def end(self):
        """For fixtures: stops a server that a test has left running, and looks at what it leaves."""
        if self.process is not None:
            self.stop()
        assert self.leaks() == []
        key = ["--root-key", self.arguments[self.arguments.index("--root-key") + 1]] if "--root-key" in self.arguments else []
        verified = self.run("verify", "--data", str(self.data), *key, **self.environment)
        assert verified.returncode == 0, verified
        stores.forget(self.data)

    def call(self, method, path, body=None, headers=None):
        with Connection(self.host, self.port) as connection:
            return connection.call(method, path, body, headers)

    def connection(self):
        return Connection(self.host, self.port)

    def wire(self):
        return Wire(self.host, self.port)

    def peak_mib(self):
        """Most memory that it ever had resident."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024

    # ---- the operator ----

    def admin(self, method, path, body=None, key=None):
        headers = {"Authorization": f"Bearer {key or self.credentials['operatorKey']}"}
        body = None if body is None else as_body(body)
        return self.call(method, "/v1/admin/tenants" + path, body, headers)

    def key(self, tenant, *scopes, **more):
        """A new API key: (id, key)."""
        made = self.admin("POST", f"/{tenant}/keys", {"name": "test", "scopes": scopes, **more}).good(201)
        self.secrets.add(made["key"])
        return made["id"], made["key"]

    def client(self, tenant, *scopes, **more):
        """A new client: (id, secret)."""
        made = self.admin("POST", f"/{tenant}/clients", {"name": "test", "scopes": scopes, **more}).good(201)
        self.secrets.add(made["clientSecret"])
        return made["clientId"], made["clientSecret"]

    def with_scopes(self, *scopes, **more):
        """The demo tenant with a key that has these scopes only."""
        return Party(self, self.tenant, self.key(self.tenant, *scopes, **more)[1], self.tenant_token)

    def other_tenant(self, name, *scopes, **settings):
        """A new tenant with a key and a tenant token."""
        self.admin("POST", "", {"name": name, "createProjects": True, **settings}).good(201)
        scopes = scopes or ("customers:create", "customers:read", "customers:status", "imports:read")
        tenant_token = self.key(name, kind="tenant-token")[1]
        return Party(self, name, self.key(name, *scopes)[1], tenant_token)

    def ask_token(self, form, headers=None):
        """An answer of the token endpoint."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return self.call("POST", "/oauth2/token", urllib.parse.urlencode(form).encode(), headers)

    # ---- the command line ----

    def run(self, *arguments, stdin=b"", **environment):
        """One command of the program, to its end."""
        seconds = PATIENCE_S
        if arguments[:1] == ("verify",):
            arguments += tuple(stores.arguments(self.data))
            seconds = VERIFY_S
        return subprocess.run([binary(), *map(str, arguments)], input=stdin, capture_output=True, timeout=seconds,
                              env=clean_environment(**environment), cwd=self.folder, check=False)

    # ---- leaks (promise P6) ----

    def leaks(self):
        """Where the log, a file of the data folder or the database shows what must not be seen."""
        files = [self.log] + [path for path in self.data.rglob("*") if path.is_file()] + stores.files(self.data)
        return [f"{needle} in {path.name}" for path in files for needle in self._found(path)]

    def _found(self, path):
        content = path.read_bytes().lower()
        for needle in {MARK, *self.secrets}:
            own = path.name in CREDENTIAL_FILES and needle in self.credentials.values()
            if needle.lower().encode() in content and not own:
                yield needle


def basic(user, password):
    pair = f"{urllib.parse.quote_plus(user)}:{urllib.parse.quote_plus(password)}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
