"""A TCP proxy that knows PostgreSQL's protocol: it ends connections at a chosen point of a chosen statement, and
answers in the server's place.

Messages are followed in both directions (plain text; it refuses TLS like a server without it). A script is asked
about each statement when its Query or Bind passes, and answers what to do with it, or None:

    Cut(where, end)      the connection ends: BEFORE the statement, INSIDE its bytes, when it is SENT, when its answer
                         is there and must be DROPPED or TORN, when its tag came but not the READY after it, AFTER all
    Refuse(code)         not executed; the client is told this SQLSTATE. The transaction is aborted, as if it were so
    Deny(code)           executed; the client is told this SQLSTATE all the same
    Warn()               executed; with the warning of a cancelled wait for a synchronous standby
    Hold(seconds)        executed that much later
    Late(seconds)        the same, and the client's connection breaks at once: by the time the server gets the statement,
                         with those that were sent along before it, the client may have asked what became of it

A FATAL code ends the connection after it. The difficulty is to stay in step: answers come in the order of the
messages, and an error skips what was sent until the next Sync, so every message that is answered has an entry in a
queue, the statement's entry with its action.
"""

import collections
import contextlib
import socket
import struct
import threading
import time

from query import message

BEFORE, INSIDE, SENT, DROPPED, TORN, READY, AFTER = "before", "inside", "sent", "dropped", "torn", "ready", "after"
POSITIONS = (BEFORE, INSIDE, SENT, DROPPED, TORN, READY, AFTER)
CLOSE, RESET, SILENT = "close", "reset", "silent"
PIECE = 65536
PATIENCE_S = 60
TLS, GSS, CANCEL = 80877103, 80877104, 80877102
# What each message is answered with, once; an error may come instead.
ANSWERS = {b"P": b"1", b"B": b"2", b"C": b"3", b"D": b"Tn", b"E": b"CIs", b"S": b"Z", b"Q": b"Z"}
WARNING = {"S": "WARNING", "V": "WARNING", "C": "01000",
           "M": "canceling wait for synchronous replication due to user request",
           "D": "The transaction has already committed locally, but might not have been replicated to the standby."}

Cut = collections.namedtuple("Cut", "where end", defaults=[CLOSE])
Refuse = collections.namedtuple("Refuse", "code fatal", defaults=[False])
Deny = collections.namedtuple("Deny", "code fatal", defaults=[False])
Warn = collections.namedtuple("Warn", "")
Hold = collections.namedtuple("Hold", "seconds")
Late = collections.namedtuple("Late", "seconds")
# number: of all that the proxy saw; wrote: its transaction has changed something, so far as the first words tell
Statement = collections.namedtuple("Statement", "sql link number wrote")
CHANGES = ("INSERT", "UPDATE", "DELETE", "COPY")


class Entry:
    """A message whose answer is awaited. `swallow`: the client did not send it."""

    def __init__(self, kind, action=None, swallow=False):
        self.kind, self.action, self.swallow = kind, action, swallow


class Ended(Exception):
    """The action was to end the connection, and is done."""


def notice(kind, fields):
    return message(kind, b"".join(f"{name}{value}\0".encode() for name, value in fields.items()) + b"\0")


def error(code, fatal):
    severity = "FATAL" if fatal else "ERROR"
    return notice(b"E", {"S": severity, "V": severity, "C": code, "M": "injected by the tests"})


def text(payload, at=0):
    """A zero-terminated text, and where it ends."""
    end = payload.index(b"\0", at)
    return payload[at:end].decode(errors="replace"), end + 1


def messages(buffered):
    """Whole messages as (kind, payload) that are taken out of the buffer."""
    at = 0
    while len(buffered) - at >= 5:
        size = struct.unpack_from("!I", buffered, at + 1)[0] + 1
        if len(buffered) - at < size:
            break
        yield bytes(buffered[at:at + 1]), bytes(buffered[at + 5:at + size])
        at += size
    del buffered[:at]


class Link:
    """One connection."""

    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.awaited = collections.deque()  # Entry
        self.prepared, self.portals, self.made = {}, {}, 0
        self.skips = False    # an error came: what was sent before the next Sync is not answered
        self.drops = False    # a statement was denied: nothing is passed on until ReadyForQuery
        self.copying = False  # from CopyInResponse to CopyDone; a Sync within is not answered
        self.last = None      # the Cut at the next ReadyForQuery
        self.wrote = False    # since BEGIN
        self.lock = threading.Lock()
        self.ended = threading.Event()

    def close(self, end=CLOSE):
        """SILENT: the client hears nothing any more, until it is closed otherwise."""
        self.ended.set()
        for one in (self.server,) if end == SILENT else (self.client, self.server):
            self._shut(one, end)

    @staticmethod
    def _shut(one, end):
        with contextlib.suppress(OSError):
            if end == RESET:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.shutdown(socket.SHUT_RD if end == RESET else socket.SHUT_RDWR)
        one.close()

    def _end(self, action):
        self.close(action.end)
        raise Ended

    def run(self):
        """Passes the start, then everything, in two threads."""
        try:
            if self._start():
                threading.Thread(target=self._guard, args=(self._down,), daemon=True).start()
                self._up()
        except (OSError, Ended):
            self._gone()

    def _guard(self, pump):
        try:
            pump()
        except (OSError, Ended):
            self._gone()

    def _gone(self):
        if not self.ended.is_set():
            self.close()

    # ---- from the client ----

    def _take(self, size):
        taken = b""
        while len(taken) < size:
            piece = self.client.recv(size - len(taken))
            if not piece:
                raise ConnectionError
            taken += piece
        return taken

    def _start(self):
        """The first message has no kind. False: it asked for something else than a session."""
        while True:
            size, code = struct.unpack("!II", self._take(8))
            rest = self._take(size - 8)
            if code in (TLS, GSS):
                self.client.sendall(b"N")
                continue
            self.server.sendall(message(b"", struct.pack("!I", code) + rest))
            if code == CANCEL:
                self.close()
            else:
                self.awaited.append(Entry(b"Q"))  # it ends with ReadyForQuery, like a query
            return code != CANCEL

    def _up(self):
        buffered = bytearray()
        while not self.ended.is_set():
            piece = self.client.recv(PIECE)
            if not piece:
                raise ConnectionError
            buffered += piece
            out = bytearray()
            for kind, payload in messages(buffered):
                self._message_up(kind, payload, out)
            self.server.sendall(out)

    def _message_up(self, kind, payload, out):
        """Appends to `out` what the server shall get."""
        action = None
        if kind == b"P":
            name, at = text(payload)
            self.prepared[name] = text(payload, at)[0]
        elif kind == b"Q":
            action = self._ask(text(payload)[0])
            if isinstance(action, Refuse):
                payload = self._instead(text(payload)[0]).encode() + b"\0"
        elif kind == b"B":
            payload = self._bind(payload, out)
        elif kind == b"E":
            action = self.portals.get(text(payload)[0])
        whole = message(kind, payload)
        if isinstance(action, Hold):
            self.server.sendall(out)
            out.clear()
            time.sleep(action.seconds)
        if isinstance(action, Late):
            self._late(action, out + whole)
        if isinstance(action, Cut) and action.where in (BEFORE, INSIDE, SENT):
            passed = {BEFORE: 0, INSIDE: len(whole) // 2, SENT: len(whole)}[action.where]
            self.server.sendall(out + whole[:passed])
            self._end(action)
        with self.lock:
            self.copying = self.copying and kind not in (b"c", b"f")
            if kind in ANSWERS and not self.copying:
                self.awaited.append(Entry(kind, action))
        out += whole

    def _late(self, action, rest):
        self.ended.set()
        self._shut(self.client, CLOSE)
        time.sleep(action.seconds)
        self.server.sendall(rest + message(b"S"))
        time.sleep(0.1)
        self._end(Cut(SENT))

    def _ask(self, sql):
        return self.proxy.ask(sql, self)

    @staticmethod
    def _instead(sql):
        """What the server gets instead of a refused statement: a commit that fails leaves no transaction, anything
        else leaves one that is aborted."""
        return "ROLLBACK" if is_commit(sql) else "refused by the tests"

    def _bind(self, payload, out):
        """A refused statement is bound to a prepared one that does not exist, or, for COMMIT, is a ROLLBACK."""
        portal, at = text(payload)
        name, end = text(payload, at)
        sql = self.prepared.get(name, "")
        action = self.portals[portal] = self._ask(sql)
        if not isinstance(action, Refuse):
            return payload
        self.made += 1
        name = f"refused{self.made}"
        if is_commit(sql):
            out += message(b"P", name.encode() + b"\0ROLLBACK\0\0\0")
            with self.lock:
                self.awaited.append(Entry(b"P", swallow=True))
        return payload[:at] + name.encode() + b"\0" + payload[end:]

    # ---- from the server ----

    def _down(self):
        buffered = bytearray()
        while not self.ended.is_set():
            piece = self.server.recv(PIECE)
            if not piece:
                raise ConnectionError
            buffered += piece
            out = bytearray()
            for kind, payload in messages(buffered):
                with self.lock:
                    self._message_down(kind, payload, out)
            self.client.sendall(out)

    def _message_down(self, kind, payload, out):
        """Appends to `out` what the client shall get."""
        whole = message(kind, payload)
        entry = self._entry_of(kind)
        if entry is None:  # rows, notices, parameters: parts of an answer
            if kind == b"G":
                self._copy_begins()
            out += b"" if self.drops else whole
        elif kind == b"Z":
            self.skips = self.drops = False
            out += whole
            if self.last is not None:
                self._cut_answer(self.last, b"", out)
        elif isinstance(entry.action, Cut) and entry.action.where == AFTER:
            self.last = entry.action
            out += whole
        elif isinstance(entry.action, Cut):
            self._cut_answer(entry.action, whole, out)
        elif isinstance(entry.action, (Refuse, Deny)):
            self._answer_error(entry, out)
        elif not (entry.swallow or self.drops):
            out += (notice(b"N", WARNING) if isinstance(entry.action, Warn) else b"") + whole

    def _copy_begins(self):
        """A Sync that was sent along is not answered; the one after CopyDone is."""
        self.copying = True
        self.awaited = collections.deque(entry for entry in self.awaited if entry.kind != b"S")

    def _entry_of(self, kind):
        """The message that this one answers, or None. An error answers the statement that is under way."""
        if not self.awaited:
            return None
        if kind == b"E":
            return self._entry_of_error()
        first = self.awaited[0]
        if kind == b"C" and first.kind == b"Q":
            return first  # it is over with ReadyForQuery only
        if kind == b"Z":
            while first.kind not in (b"S", b"Q"):
                self.awaited.popleft()
                if not self.awaited:  # of a statement that came late: nobody waits
                    return None
                first = self.awaited[0]
        if kind in ANSWERS[first.kind]:
            return self.awaited.popleft()
        return None

    def _entry_of_error(self):
        """The refused statement fails at Bind: its action stands at its Execute, if that has come."""
        self.skips = True
        for entry in self.awaited:
            if isinstance(entry.action, Refuse) or entry.kind in (b"S", b"Q"):
                return entry
        for action in self.portals.values():
            if isinstance(action, Refuse):
                return Entry(b"E", action)
        return None

    def _cut_answer(self, action, whole, out):
        passed = {DROPPED: 0, TORN: len(whole) // 2}.get(action.where, len(whole))
        self.client.sendall(out + whole[:passed])
        self._end(action)

    def _answer_error(self, entry, out):
        out += error(entry.action.code, entry.action.fatal)
        self.portals = {name: action for name, action in self.portals.items() if action is not entry.action}
        if entry.action.fatal:
            self.client.sendall(out)
            self._end(Cut(AFTER))
        self.drops = True


def is_commit(sql):
    return sql.strip().rstrip(";").upper() in ("COMMIT", "END", "COMMIT TRANSACTION")


class Proxy:
    """Listens on `port`; what comes goes to `to`, which may be changed. `script(statement)` answers an action."""

    def __init__(self, to, script=lambda statement: None):
        self.to, self.script, self.links, self.seen = to, script, [], 0
        self.lock = threading.Lock()
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.host, self.port = self.listening.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.cut_all()

    def url(self, database, user="muster"):
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def cut_all(self, end=CLOSE):
        """Every connection ends, the silent ones too."""
        with self.lock:
            links, self.links = self.links, []
        for link in links:
            link.close(end)

    def ask(self, sql, link):
        with self.lock:
            self.seen += 1
            word = sql.split(None, 1)[0].upper() if sql.strip() else ""
            link.wrote = word != "BEGIN" and (link.wrote or word in CHANGES)
            return self.script(Statement(sql, link, self.seen, link.wrote))

    def _accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.to, timeout=PATIENCE_S)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(self, client, server)
            with self.lock:
                self.links = [one for one in self.links if one.client.fileno() >= 0] + [link]
            threading.Thread(target=link.run, daemon=True).start()
