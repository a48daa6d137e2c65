"""A payment application for your desk: takes requests over TCP, a Unix socket or stdin, and answers by amount.

Each connection may carry one request or several; each is answered in its turn.
"""
import fcntl
import hashlib
import json
import logging
import os
import socket
import struct
import sys
from collections.abc import Callable

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer

from econduit_terminal.process import logs
from econduit_terminal.process.logs import clean
from econduit_terminal.sandbox.payment_app import echo
from econduit_terminal.sandbox.payment_app.batch import Batch
from econduit_terminal.sandbox.payment_app.framing import Requests, TooLong
from econduit_terminal.sandbox.payment_app.ledger import Ledger
from econduit_terminal.sandbox.payment_app.outcomes import END, Outcome, Request, answer, outcome, understand
from econduit_terminal.sandbox.program import listener

log = logging.getLogger("sandbox.payment")

EXIT_BY_AMOUNT = 9
IDLE = 600.0
"""Seconds that a connection may be silent between two requests."""
MAX_CONNECTIONS = 1000
PIECE, PIECE_DELAY = 7, 0.005


class PaymentApp:
    """Runs requests: writes them to the ledger, waits as the amount says, answers through `send`.

    `hold`: a file; amount 8.88 waits while somebody else holds an flock on it. `announce`: told what happens.
    `echo`: whatever the amount, answers tell what it was handed (echo.py).
    """

    def __init__(self, ledger: Ledger, hold: str | None,
                 announce: Callable[[dict[str, str | None]], None] | None = None, echo: bool = False) -> None:
        self._ledger, self._hold, self._announce, self._echo = ledger, hold, announce, echo
        self._batch = Batch()
        self._runs = 0

    def run(self, body: bytes, send: Callable[[bytes], None], end: Callable[[bool], None],
            gone: Callable[[], bool]) -> None:
        """Runs one request. `end(rst)` ends the connection; `gone()` says that the caller ended it."""
        if self._echo:
            self._run_echo(body, send)
            return
        request = understand(body)
        what = outcome(request.amount)
        auth_code = os.urandom(3).hex().upper()
        self._ledger.ran(request, auth_code)
        log.info("run: %s", clean(f"RefID={request.ref} command={request.command} amount={request.amount} "
                                  f"size={len(body)} does={what.act}"))
        self._tell("run", request, auth_code)
        gevent.sleep(what.seconds)
        if what.act == "hold":
            self._wait_for_release()
        text = self._batch.answer(request)
        if text is None:
            text = answer(request, what, auth_code)
            self._batch.ran(request, what.result == "Approved", text)
        self._do(what, text, send, end, gone)
        self._tell("done", request, auth_code)

    def _run_echo(self, body: bytes, send: Callable[[bytes], None]) -> None:
        asked = echo.understand(body)
        self._runs += 1
        runs = self._runs
        request = Request(body, {}, asked.amount, asked.ref or None, asked.command or None,
                          hashlib.sha256(body).hexdigest())
        self._ledger.ran(request, echo.auth_code(runs))
        log.info("run: %s", clean(f"RefID={asked.ref} command={asked.command} size={len(body)} echo, run {runs}"))
        self._tell("run", request, echo.auth_code(runs))
        gevent.sleep(asked.delay)
        send(echo.answer(body, asked, runs) + END)
        self._tell("done", request, echo.auth_code(runs))

    def _do(self, what: Outcome, text: bytes, send: Callable[[bytes], None], end: Callable[[bool], None],
            gone: Callable[[], bool]) -> None:
        match what.act:
            case "close" | "rst":
                end(what.act == "rst")
            case "exit":
                self._exit()
            case "never":
                while not gone():
                    gevent.sleep(0.05)
                end(False)
            case "half":
                send(text[:len(text) // 2])
                end(False)
            case "bare" | "bare-text" | "oversized":
                send(text)
            case "bare-close":
                send(text)
                end(False)
            case "twice":
                send((text + END) * 2)
            case "pieces":
                for at in range(0, len(text + END), PIECE):
                    send((text + END)[at:at + PIECE])
                    gevent.sleep(PIECE_DELAY)
            case "answer-exit":
                send(text + END)
                self._exit()
            case _:
                send(text + END)

    def _exit(self) -> None:
        """At once, as if killed; but its log says what it ran."""
        logs.flush()
        os._exit(EXIT_BY_AMOUNT)

    def _wait_for_release(self) -> None:
        if self._hold is None:
            log.warning("amount 8.88 is not held: start with --hold FILE")
            return
        fd = os.open(self._hold, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            gevent.get_hub().threadpool.apply(fcntl.flock, (fd, fcntl.LOCK_SH))
        finally:
            os.close(fd)

    def _tell(self, event: str, request: Request, auth_code: str) -> None:
        if self._announce is not None:
            self._announce({"event": event, "RefID": request.ref, "Command": request.command, "sha256": request.sha256,
                            "AuthCode": auth_code})


def serve(app: PaymentApp, sock: socket.socket, gap: float) -> StreamServer:
    """Starts serving a listening socket; `gap` seconds of quiet end a request that is not JSON."""
    server = StreamServer(sock, lambda client, _: _connection(app, client, gap), spawn=Pool(MAX_CONNECTIONS))
    server.start()
    return server


def listen_on(where: str) -> tuple[socket.socket, str]:
    """A listening socket for `tcp://host:port` or `unix:///path`, and its address. Raises OSError, ValueError."""
    if where.startswith("unix:///"):
        path = where.removeprefix("unix://")
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.connect(path)
        except OSError:
            if os.path.lexists(path):
                os.unlink(path)
        else:
            raise OSError(f"somebody serves {path} already")
        finally:
            sock.close()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(path)
        sock.listen(128)
        sock.setblocking(False)
        return sock, where
    host, _colon, port = where.removeprefix("tcp://").rpartition(":")
    if not where.startswith("tcp://") or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"--listen {where}: tcp://host:port or unix:///path")
    sock = listener(host.strip("[]"), int(port))
    return sock, f"tcp://{host}:{sock.getsockname()[1]}"


def _connection(app: PaymentApp, sock: socket.socket, gap: float) -> None:
    open_ = [True]

    def end(rst: bool) -> None:
        open_[0] = False
        if rst:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def gone() -> bool:
        try:
            return sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    requests = Requests()
    try:
        while open_[0]:
            sock.settimeout(gap if requests.pending else IDLE)
            try:
                data = sock.recv(65536)
                found = requests.receive(data) if data else requests.quiet()
            except TimeoutError:
                if not requests.pending:
                    return
                data, found = b"quiet", requests.quiet()
            sock.settimeout(IDLE)
            for request in found:
                if open_[0]:
                    app.run(request, sock.sendall, end, gone)
            if not data:
                return
    except TooLong as mistake:
        log.warning("a connection is closed: %s", mistake)
    except OSError as error:
        log.info("a connection ended: %s", error.strerror or error)


def run_once(app: PaymentApp) -> int:
    """One request from stdin, its answer on stdout: what `exec:` runs. Returns the exit status."""
    requests = Requests()
    found: list[bytes] = []
    while not found:
        data = os.read(0, 65536)
        try:
            found = requests.receive(data) if data else requests.quiet()
        except TooLong as mistake:
            print(f"econduit-sandbox payment-app: {mistake}", file=sys.stderr)
            return 1
        if not data and not found:
            print("econduit-sandbox payment-app: no request on stdin", file=sys.stderr)
            return 1

    def send(data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(1, view):]

    ended: list[bool] = []
    app.run(found[0], send, ended.append, lambda: False)
    return 1 if ended else 0


def announce_on_stdout(event: dict[str, str | None]) -> None:
    """A JSON line on stdout for whoever started this and reads it."""
    try:
        print(json.dumps(event), flush=True)
    except OSError:
        log.debug("nobody reads stdout")
