"""A server that does what a script says, for the command line's sake: cuts connections at a byte, says "not
now", answers halfway. What it is sent when the script is at its end it keeps, once a key.

It knows of the API only what `muster import` and `muster imports` look at. The real one is tested elsewhere.
"""

import csv
import gzip
import http.server
import io
import json
import socket
import struct
import threading
import urllib.parse
import uuid


class Cut:
    """Takes so many bytes of the body (None: all of it), then resets the connection."""

    def __init__(self, after=None):
        self.after = after

    def play(self, request):
        request.body = request.read_body(self.after)
        request.reset()


class Say:
    """An answer. `early`: before the body is read; `unasked`: and without asking for it (100 Continue), so that none of
    it has left; `cut`: only so many bytes of it, then the connection is reset."""

    def __init__(self, status, body=b"", early=False, cut=None, unasked=False, **headers):
        self.status, self.early, self.cut, self.unasked = status, early or unasked, cut, unasked
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def play(self, request):
        if not self.early:
            request.body = request.read_body()
        request.answer(self.status, self.headers, self.body, self.cut)


def problem(status, code, early=False, unasked=False, **more):
    """A problem document; members that begin with a capital are header fields."""
    headers = {name: str(value) for name, value in more.items() if name[0].isupper()}
    members = {name: value for name, value in more.items() if not name[0].isupper()}
    document = {"type": f"urn:muster:problem:{code}", "title": code, "status": status, "code": code,
                "detail": f"detail of {code}", **members}
    return Say(status, document, early, unasked=unasked, **{"Content_Type": "application/problem+json", **headers})


class Keep:
    """The usual: what is good is kept, once a key. `cut`: the answer breaks off there; `head`: its head does."""

    def __init__(self, cut=None, head=None):
        self.cut, self.head = cut, head

    def play(self, request):
        request.body = request.read_body()
        if not request.fake.begin(request.key):
            problem(409, "idempotency-key-in-flight", early=True).play(request)
            return
        try:
            if request.fake.on_body:
                request.fake.on_body()
            status, headers, body = request.fake.keep(request)
        finally:
            request.fake.running.discard(request.key)
        if self.head is None:
            request.answer(status, headers, body, self.cut)
        else:
            request.answer_head(status, headers, self.head)


def zstd(content):
    """A frame of RFC 8878 that packs nothing."""
    blocks = [content[at:at + 65536] for at in range(0, len(content), 65536)]
    frame = b"\x28\xB5\x2F\xFD\xA0" + struct.pack("<I", len(content))
    for number, block in enumerate(blocks):
        header = len(block) << 3 | (number == len(blocks) - 1)
        frame += struct.pack("<I", header)[:3] + block
    return frame


def unzstd(frame):
    content, at = bytearray(), 9
    while at < len(frame):
        size = int.from_bytes(frame[at:at + 3], "little") >> 3
        content += frame[at + 3:at + 3 + size]
        at += 3 + size
    return bytes(content)


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    body = b""

    @property
    def fake(self):
        return self.server.fake

    def log_message(self, *_):
        pass

    def handle_expect_100(self):
        unasked = bool(self.fake.script) and getattr(self.fake.script[0], "unasked", False)
        return unasked or super().handle_expect_100()

    def do_POST(self):
        step = Keep()
        if urllib.parse.urlsplit(self.path).path.startswith("/v1/imports/"):
            step = self.fake.pages.get(("POST", self.path), problem(404, "not-found"))
        elif self.fake.script:
            step = self.fake.script.pop(0)
        self.play(step)

    def do_GET(self):
        page = self.fake.pages.get(("GET", self.path), problem(404, "not-found"))
        if isinstance(page, list):
            page = page.pop(0) if len(page) > 1 else page[0]
        self.play(page)

    def play(self, step):
        self.fake.requests.append(self)
        self.is_post = self.command == "POST"  # behind an answer that came early the rest of a body looks like requests
        try:
            step.play(self)
        except ConnectionError:
            self.close_connection = True

    def read_body(self, limit=None):
        if self.headers.get("Transfer-Encoding") != "chunked":
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size if limit is None else min(size, limit))
            if len(body) < size and limit is None:
                raise ConnectionError("the client has left")
            return body
        body = bytearray()
        while limit is None or len(body) < limit:
            size = int(self.rfile.readline() or b"0", 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                break
        return bytes(body)

    def answer(self, status, headers, body, cut=None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        self.wfile.flush()
        if cut is not None:
            self.connection.shutdown(socket.SHUT_WR)
            self.close_connection = True

    def answer_head(self, status, headers, size):
        """The first bytes of an answer's head, and the end."""
        lines = [f"HTTP/1.1 {status} OK", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self.wfile.write("\r\n".join(lines).encode()[:size])
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        self.close_connection = True

    def reset(self):
        """Closes so that the other side is told at once, whatever it is sending."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    # ---- what tests ask ----

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))

    @property
    def key(self):
        return self.headers["Idempotency-Key"]

    @property
    def plain(self):
        unpack = {"gzip": gzip.decompress, "zstd": unzstd}.get(self.headers.get("Content-Encoding"), bytes)
        return unpack(self.body)


class FakeServer:
    def __init__(self):
        self.script = []     # what happens to the next imports
        self.pages = {}      # (method, path): a step, or a list of steps, the last of which stays
        self.requests = []
        self.kept = []
        self.ids = []        # of what was kept, in that order
        self.answers = {}    # of a key
        self.on_body = None
        self.lock = threading.Lock()
        self.running = set()
        self.remembers = True  # False: the defect that the campaign exists for
        self.import_id = str(uuid.uuid4())
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Request)
        self.http.fake = self
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    @property
    def posts(self):
        return [request for request in self.requests if request.is_post]

    def page(self, path, step, method="GET"):
        self.pages[method, f"/v1/imports/{self.import_id}{path}"] = step

    # ---- keeping ----

    def begin(self, key):
        """False while another request with that key is at work."""
        with self.lock:
            free = not self.remembers or key not in self.running
            self.running.add(key)
            return free

    def keep(self, request):
        lenient = "handling=lenient" in request.headers.get("Prefer", "")
        if self.remembers and request.key in self.answers:
            body, answer = self.answers[request.key]
            if body != request.body:
                return 422, {"Content-Type": "application/problem+json"}, b'{"code":"idempotency-key-reused"}'
            return 200, {**answer[0], "Idempotency-Replayed": "true"}, answer[1]
        headers, body = self._lenient(request) if lenient else self._strict(request)
        self.answers[request.key] = (request.body, (headers, body))
        return 200, headers, body

    def _items(self, request):
        text = request.plain.decode("utf-8-sig")
        kind = request.headers["Content-Type"]
        if kind == "text/csv":
            return list(csv.DictReader(io.StringIO(text)))
        if kind == "application/x-ndjson":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        body = json.loads(text)
        return body if isinstance(body, list) else body.get("customers", body.get("customerData"))

    def _headers(self, kind):
        return {"Content-Type": kind, "Muster-Import": self.import_id}

    def _strict(self, request):
        items = self._items(request)
        self.kept += items
        ids = [str(uuid.uuid4()) for _ in items]
        self.ids += ids
        shapes = {"/customers/batch": ids, "/v1/customers": {"customers": [{"id": one} for one in ids]}}
        path = urllib.parse.urlsplit(request.path).path
        cyrexa = {"tenantId": "t", "customerIds": [{"customerId": one} for one in ids]}
        return self._headers("application/json"), json.dumps(shapes.get(path, cyrexa)).encode()

    def _lenient(self, request):
        lines = []
        for index, item in enumerate(self._items(request)):
            if "bad" in item:
                fault = {"pointer": "/bad", "code": "unknown", "detail": "There is no such member."}
                lines.append({"index": index, "outcome": "fault", "errors": [fault]})
            else:
                self.kept.append(item)
                lines.append({"index": index, "outcome": "created", "customerId": str(uuid.uuid4())})
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        return self._headers("application/x-ndjson"), body
