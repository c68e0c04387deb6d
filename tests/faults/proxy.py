"""A TCP proxy that is a bad network: it delays, cuts after a number of bytes in either direction, passes one byte
at a time, resets, or falls silent and keeps the connection. What becomes of a connection is its plan's."""

import socket
import struct
import threading
import time

CLOSE, RESET, SILENT = "close", "reset", "silent"
PIECE = 65536
PATIENCE_S = 60


class Plan:
    """up, down: bytes that pass towards the server and back before the connection ends, None: all; end: how it
    ends; segment: bytes passed at a time; delay_s: before each of them."""

    def __init__(self, up=None, down=None, end=CLOSE, segment=PIECE, delay_s=0.0):
        self.up, self.down, self.end, self.segment, self.delay_s = up, down, end, segment, delay_s

    def __repr__(self):
        return ", ".join(f"{name}={value}" for name, value in vars(self).items())


class Link:
    """One connection through the proxy."""

    def __init__(self, plan, client, server):
        self.plan, self.client, self.server = plan, client, server
        self.up = self.down = 0  # bytes passed
        self.ended = threading.Event()

    def _end(self):
        """As the plan says; a silent link stays open until the proxy is closed."""
        if self.ended.is_set():
            return
        self.ended.set()
        if self.plan.end != SILENT:
            self.close(reset=self.plan.end == RESET)

    def close(self, reset=False):
        for one in (self.client, self.server):
            try:
                if reset:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # Wakes the other pump. A reset must not be preceded by an end.
                one.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def _pass(self, piece, to, left):
        """False when the plan's end has come."""
        piece = piece if left is None else piece[:left]
        for at in range(0, len(piece), self.plan.segment):
            if self.plan.delay_s > 0:
                time.sleep(self.plan.delay_s)
            to.sendall(piece[at:at + self.plan.segment])
        return left is None or len(piece) < left

    def pump_up(self):
        self._pump(self.client, self.server, "up", self.plan.up)

    def pump_down(self):
        self._pump(self.server, self.client, "down", self.plan.down)

    def _pump(self, source, to, name, limit):
        try:
            goes_on = limit != 0
            while goes_on and not self.ended.is_set():
                piece = source.recv(PIECE)
                if not piece:
                    to.shutdown(socket.SHUT_WR)
                    return
                goes_on = self._pass(piece, to, None if limit is None else limit - getattr(self, name))
                passed = getattr(self, name) + len(piece)
                setattr(self, name, passed if limit is None else min(passed, limit))
            self._end()
        except OSError:
            if not self.ended.is_set():
                self.ended.set()
                self.close()


class Proxy:
    """Listens on `port`; each connection gets the plan that plan_of() answers. `links` are all there were."""

    def __init__(self, host, port, plan_of):
        self.to, self.plan_of, self.links = (host, port), plan_of, []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self.listening.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.listening.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listening.close()
        for link in self.links:
            link.ended.set()
            link.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            plan = self.plan_of()
            try:
                server = socket.create_connection(self.to, timeout=PATIENCE_S)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(plan, client, server)
            self.links.append(link)
            for pump in (link.pump_up, link.pump_down):
                threading.Thread(target=pump, daemon=True).start()
