"""A web server on this machine that serves files and misbehaves on demand."""

import gzip
import socket
import struct
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: What the server can do wrong with a request that a second try gets over.
TRANSIENT = ("drop", "reset", "long", "short", "wrong", "page", "429", "500", "503", "stall", "drip", "endless", "loop")


class FaultyServer:
    """Serve `files` (path to bytes) from 127.0.0.1; `faults` lists what to do with the next requests for a path."""

    def __init__(self, files, faults=None, delay=0.0, pieces=1):
        self.files = dict(files)
        self.faults = {path: list(kinds) for path, kinds in (faults or {}).items()}
        self.always = {}
        self.delay = delay  # in s, before an answer and after each of its pieces
        self.pieces = pieces
        self.requests = Counter()
        self.lock = threading.Lock()
        self.closing = threading.Event()

    def __enter__(self):
        self.server = _QuietServer(("127.0.0.1", 0), _Handler)
        self.server.owner = self
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def next_fault(self, path):
        with self.lock:
            self.requests[path] += 1
            waiting = self.faults.get(path)
            return waiting.pop(0) if waiting else self.always.get(path, "ok")


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients of these tests hang up, and are killed, on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        owner = self.server.owner
        owner.closing.wait(owner.delay)
        if self.path == "/circle":
            self.answer_loop("loop", b"")
            return
        path = self.path.removeprefix("/elsewhere").lstrip("/")
        fault = "ok" if self.path.startswith("/elsewhere") else owner.next_fault(path)
        if path not in owner.files:
            fault = "404"
        getattr(self, f"answer_{fault}", self.answer_status)(fault, owner.files.get(path, b""))
        self.close_connection = True

    def head(self, length, status=200, **headers):
        self.send_response(status)
        self.send_header("Connection", "close")
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def answer_status(self, fault, body):
        self.head(0, int(fault), Retry_After="0")

    def answer_busy(self, fault, body):
        self.head(0, 503, Retry_After="1")

    def answer_ok(self, fault, body):
        self.head(len(body))
        size = max(1, -(-len(body) // self.server.owner.pieces))
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            self.server.owner.closing.wait(self.server.owner.delay * (self.server.owner.pieces > 1))

    def answer_drop(self, fault, body):
        self.head(len(body))
        self.wfile.write(body[: len(body) // 2])

    def answer_reset(self, fault, body):
        self.answer_drop(fault, body)
        self.wfile.flush()
        # Linger of zero seconds: the kernel answers with RST instead of a polite end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def answer_long(self, fault, body):
        self.head(len(body) + 1000)
        self.wfile.write(body)

    def answer_short(self, fault, body):
        self.head(len(body) - 1000)
        self.wfile.write(body)

    def answer_wrong(self, fault, body):
        self.head(len(body))
        self.wfile.write(bytes([body[0] ^ 1]) + body[1:])

    def answer_page(self, fault, body):
        page = b"<html>Please sign in to this wireless network</html>"
        self.head(len(page))
        self.wfile.write(page)

    def answer_stall(self, fault, body):
        self.head(len(body))
        self.wfile.write(body[:100])
        self.wfile.flush()
        self.server.owner.closing.wait(5)

    def answer_drip(self, fault, body):
        self.head(len(body))
        for position in range(200):
            self.wfile.write(body[position : position + 1])
            self.wfile.flush()
            if self.server.owner.closing.wait(0.1):
                return

    def answer_endless(self, fault, body):
        self.head(None)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            self.wfile.write(bytes(1 << 16))

    def answer_redirect(self, fault, body):
        self.head(0, 302, Location=f"/elsewhere{self.path}")

    def answer_loop(self, fault, body):
        self.head(0, 302, Location="/circle")

    def answer_gzip(self, fault, body):
        packed = gzip.compress(body)
        self.head(len(packed), Content_Encoding="gzip")
        self.wfile.write(packed)

    def answer_chunked(self, fault, body):
        self.head(None, Transfer_Encoding="chunked")
        for start in range(0, len(body), 5000):
            piece = body[start : start + 5000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")
