"""The least of a PostgreSQL client that tests need: plain text, no password, one simple query at a time."""

import socket
import struct

PROTOCOL_3 = 196608


class Failed(Exception):
    """An ErrorResponse: its SQLSTATE and sentence."""

    def __init__(self, fields):
        self.code, self.sentence = fields.get("C", "?????"), fields.get("M", "")
        super().__init__(f"{self.code} {self.sentence}")


def message(kind, payload=b""):
    """One message; the start-up message has no kind (b"")."""
    return kind + struct.pack("!I", len(payload) + 4) + payload


def fields(payload):
    """{letter: text} of an ErrorResponse or NoticeResponse."""
    parts = payload.rstrip(b"\0").split(b"\0")
    return {chr(part[0]): part[1:].decode(errors="replace") for part in parts if part}


def cells(payload):
    """Texts of a DataRow, None for NULL."""
    count, at, row = struct.unpack_from("!H", payload)[0], 2, []
    for _ in range(count):
        size = struct.unpack_from("!i", payload, at)[0]
        row.append(None if size < 0 else payload[at + 4:at + 4 + size].decode(errors="replace"))
        at += 4 + max(size, 0)
    return row


class Client:
    """A connection; OSError when the server is not there or goes away."""

    def __init__(self, host, port, database, user="muster", timeout=30.0):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.stream = self.socket.makefile("rb")
        self.notices = []  # fields of each
        names = {"user": user, "database": database, "application_name": "tests"}
        pairs = "".join(f"{name}\0{value}\0" for name, value in names.items())
        self.socket.sendall(message(b"", struct.pack("!I", PROTOCOL_3) + pairs.encode() + b"\0"))
        self._until_ready()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def _read(self):
        head = self.stream.read(5)
        if len(head) < 5:
            raise ConnectionError("the database has closed the connection")
        return head[:1], self.stream.read(struct.unpack("!I", head[1:])[0] - 4)

    def _until_ready(self):
        rows, failed = [], None
        while True:
            kind, payload = self._read()
            if kind == b"D":
                rows.append(cells(payload))
            elif kind == b"N":
                self.notices.append(fields(payload))
            elif kind == b"E":
                failed = Failed(fields(payload))
                if self._is_fatal(payload):
                    raise failed
            elif kind == b"R" and payload[:4] != b"\0\0\0\0":
                raise ConnectionError("the database wants a password")
            elif kind == b"Z":
                if failed is not None:
                    raise failed
                return rows

    @staticmethod
    def _is_fatal(payload):
        return fields(payload).get("V") in ("FATAL", "PANIC")

    def rows(self, sql):
        """Rows of the last statement, each a list of texts."""
        self.socket.sendall(message(b"Q", sql.encode() + b"\0"))
        return self._until_ready()

    def pipeline(self, *statements):
        """The same in the extended protocol: all are sent at once, with one Sync; rows of all of them."""
        out = b""
        for sql in statements:
            out += message(b"P", b"\0" + sql.encode() + b"\0\0\0") + message(b"B", bytes(8))
            out += message(b"D", b"P\0") + message(b"E", bytes(5))
        self.socket.sendall(out + message(b"S"))
        return self._until_ready()

    def value(self, sql):
        return self.rows(sql)[0][0]
