"""The HTTP server below the local API: gevent.pywsgi with every wait and every buffer bounded.

Rules
- A bad client costs its own connection and nothing else: not the process, not the log, not another client's connection.
- A request has REQUEST_TIME in all, whatever its client does in between; one write has IO_TIME.
- At MAX_CONNECTIONS the longest idle one makes room for the new one, so that nobody who merely holds connections
  open keeps the watchdog out (it would take the agent for hung).
- A listener that cannot be bound is a problem of the status, and is tried again: the agent goes on without it.
"""
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Protocol
from wsgiref.types import WSGIApplication, WSGIEnvironment

import gevent
from gevent.event import Event
from gevent.pool import Pool
from gevent.pywsgi import WSGIHandler, WSGIServer

from econduit_terminal.process.logs import clean

from .listen_address import ListenAddress, Unusable

MAX_CONNECTIONS = 64
MAX_HEADERS = 16 * 1024
REQUEST_TIME = 10.0
IO_TIME = 5.0
RETRY = 3.0
CHECK = 5.0
STOP_TIME = 0.5
"""Seconds: of a request, of one read or write, until an address is tried again, between two looks whether it is still
ours, and for answers on their way at the end."""

log = logging.getLogger("api")


class _LimitedLines:
    """Header lines up to MAX_HEADERS in all: pywsgi itself would take 100 of 64 KiB each."""

    def __init__(self, lines: Any):
        self._lines = lines
        self._left = MAX_HEADERS

    def readline(self, size: int = -1) -> bytes:
        line: bytes = self._lines.readline(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(line)
        if self._left < 0:
            raise ValueError(f"more than {MAX_HEADERS} bytes of headers")
        return line


class Handler(WSGIHandler):
    """One connection. The application finds it in the environ as `econduit.connection`."""

    server: "Server"
    gone = False
    _send_error_response_if_possible: Callable[[int], None]

    def handle(self) -> None:
        self.socket.settimeout(IO_TIME)
        if not self.server.admit(self):
            self.socket.close()
            return
        # Closing the connection ends whatever reads or writes it; an exception would only end one of those.
        self._deadline = gevent.get_hub().loop.timer(REQUEST_TIME)
        try:
            with suppress(OSError):     # the client did not stay for the answer to a bad request
                super().handle()
        finally:
            self._deadline.stop()
            self._deadline.close()
            self.server.forget(self)

    def handle_one_request(self) -> Any:
        self._deadline.stop()
        self._deadline.start(self.evict)
        self.server.waiting(self, True)
        return super().handle_one_request()

    def get_environ(self) -> WSGIEnvironment:
        self.server.waiting(self, False)
        environ = super().get_environ()
        environ["econduit.connection"] = self
        return environ

    def MessageClass(self, lines: Any, *rest: Any) -> Any:
        read_headers: Any = super().MessageClass
        try:
            return read_headers(_LimitedLines(lines), *rest)
        except Exception as error:  # noqa: BLE001  for pywsgi a ValueError is the client's error, anything else its own
            raise ValueError(str(error)) from None

    def handle_error(self, kind: type[BaseException] | None, error: BaseException | None,
                     trace: TracebackType | None) -> None:
        if isinstance(error, (OSError, gevent.GreenletExit)):
            self.close_connection = True  # the client went away or is too slow, or we are stopping: nothing to say
            return
        log.error("a request to the local API failed", exc_info=error)
        self._send_error_response_if_possible(500)

    def log_error(self, msg: str, *args: object) -> None:
        log.debug("not HTTP: %s", clean(msg % args if args else msg))

    def log_request(self) -> None:
        """No access log."""

    # For the application

    def server_host(self) -> str:
        """The address at which the client reached us."""
        host: str = self.socket.getsockname()[0]
        return host

    @contextmanager
    def streaming(self, ended: Callable[[], None]) -> Iterator["Handler"]:
        """Without the request's deadline; `ended()` is called, and `gone` is set, when the client closes."""
        self._deadline.stop()
        watcher = gevent.get_hub().loop.io(self.socket.fileno(), 1)

        def readable() -> None:
            # A client has nothing to say during a stream: whatever arrives, it is the end.
            watcher.stop()
            self.gone = True
            ended()

        watcher.start(readable)
        try:
            yield self
        finally:
            watcher.stop()
            watcher.close()
            self.close_connection = True

    def evict(self) -> None:
        self.gone = True
        with suppress(OSError, AttributeError):     # it ended by itself
            self.socket.shutdown(socket.SHUT_RDWR)


class Server(WSGIServer):
    handler_class = Handler

    def __init__(self, listener: Any, application: WSGIApplication):
        self._open: set[Handler] = set()
        self._waiting: dict[Handler, None] = {}  # in order of waiting since
        # A given SERVER_NAME keeps pywsgi from looking our name up in the DNS before it serves.
        super().__init__(listener, application, spawn=Pool(), log=None, error_log=log,
                         environ={"SERVER_NAME": "localhost"})

    def admit(self, handler: Handler) -> bool:
        if len(self._open) >= MAX_CONNECTIONS:
            oldest = next(iter(self._waiting), None)
            if oldest is None:
                return False
            self.forget(oldest)
            oldest.evict()
        self._open.add(handler)
        return True

    def forget(self, handler: Handler) -> None:
        self._open.discard(handler)
        self._waiting.pop(handler, None)

    def waiting(self, handler: Handler, flag: bool) -> None:
        self._waiting.pop(handler, None)
        if flag and handler in self._open:
            self._waiting[handler] = None


class Application(Protocol):
    """What is served: WSGI."""

    def __call__(self, environ: WSGIEnvironment, start_response: Any, /) -> Any: ...

    def close(self) -> None:
        """End the answers that go on until they are ended."""


class StatusStore(Protocol):
    """Where a listener that cannot be bound is shown (status.store)."""

    def problem(self, name: str, text: str | None) -> None: ...


class Listener:
    """Keeps one address served: binds, tries again where that fails, binds again where the socket was taken away."""

    def __init__(self, name: str, address: ListenAddress, application: Application, store: StatusStore):
        self.name = name
        self.address = address
        self._application = application
        self._store = store
        self._stopping = Event()
        self._greenlet: gevent.Greenlet[[], None] | None = None
        self._before: Listener | None = None
        self._said: str | None = None

    def start(self, after: "Listener | None" = None) -> None:
        """Returns at once. `after`: the one that this one takes over from; it is stopped first."""
        self._before = after
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """Waits until the address is free, STOP_TIME or a little more."""
        self._stopping.set()
        if self._greenlet is not None:
            self._greenlet.join(STOP_TIME + 2)

    def _run(self) -> None:
        if self._before:
            self._before.stop()
            self._before = None
        while not self._stopping.is_set():
            try:
                self._serve()
            except (Unusable, OSError) as error:
                self._problem(str(error))
            except Exception:
                log.exception("%s: failed", self.name)
                self._problem("it failed; the log says more")
            self._stopping.wait(RETRY if self._said else 0)
        self._store.problem(self.name, None)

    def _serve(self) -> None:
        bound = self.address.bind()
        server = Server(bound, self._application)
        try:
            server.start()
            self._said = None
            self._store.problem(self.name, None)
            log.info("%s: %s answers", self.name, self.address)
            while not self._stopping.wait(CHECK):
                if server.closed or not self.address.ours():
                    log.warning("%s: %s was taken away; binding it again", self.name, self.address)
                    break
        finally:
            try:
                self.address.release()
            finally:
                self._application.close()
                server.stop(STOP_TIME)

    def _problem(self, text: str) -> None:
        if text != self._said:
            log.error("%s: %s; trying again every %g s", self.name, text, RETRY)
        self._said = text
        self._store.problem(self.name, text)
