"""An eConduit cloud for your desk: two ports for terminals, one for HTTP."""
import gc
import logging
import socket
import ssl
import time
from typing import Any

from gevent.pool import Pool
from gevent.pywsgi import WSGIServer
from gevent.server import StreamServer

from econduit_terminal.sandbox.cloud.budget import Budget
from econduit_terminal.sandbox.cloud.capacity import capacity
from econduit_terminal.sandbox.cloud.controls import Controls
from econduit_terminal.sandbox.cloud.events import EventLog
from econduit_terminal.sandbox.cloud.faults import PORTS, Faults
from econduit_terminal.sandbox.cloud.public_calls import PublicCalls
from econduit_terminal.sandbox.cloud.registry import Registry
from econduit_terminal.sandbox.cloud.results import Results
from econduit_terminal.sandbox.cloud.web import Handler, Web
from econduit_terminal.sandbox.open_files import REMEDY, most_open_files
from econduit_terminal.sandbox.program import BACKLOG, listener

log = logging.getLogger("sandbox")

COLLECT = 100_000, 50, 100
"""Thresholds of Python's garbage collector: with its own, it looked through 20,000 connections so often that a third of
the processor went into that while they came back."""
HANDSHAKE = 10.0
"""Seconds that TLS may take."""
FULL_AGAIN = 10.0
"""Seconds until the log says again that there is no room."""


class Cloud:
    """The parts, joined. `ports` names the three ports once `start` is through."""

    def __init__(self, host: str, primary: int, secondary: int, http: int, *, timeout: float, check_interval: float,
                 idle_timeout: float, send_timeout: float, terminal_types: tuple[str, ...] = (),
                 tls: ssl.SSLContext | None = None, budget: float | None = None) -> None:
        self.ports = {"primary": primary, "secondary": secondary, "http": http}
        self._host, self._tls = host, tls
        self.room = capacity(most_open_files())
        self._events = EventLog()
        self._faults = Faults()
        self._registry = Registry(self._faults, self._events, terminal_types=terminal_types, idle_timeout=idle_timeout,
                                  send_timeout=send_timeout, budget=Budget(budget), room=self.room.terminals)
        self._calls = PublicCalls(
            self._registry, self._events, Results(check_interval=check_interval), timeout)
        self._controls = Controls(self._faults, self._registry, self._calls, self._events, self)
        self._servers: dict[str, StreamServer] = {}
        self._web: WSGIServer | None = None
        self._handshakes = 0
        self._full_from = 0.0

    def start(self) -> None:
        """Opens the three ports. Raises OSError."""
        gc.set_threshold(*COLLECT)
        for port in PORTS:
            self.open(port)
        sock = listener(self._host, self.ports["http"])
        self.ports["http"] = sock.getsockname()[1]
        web = Web(self._calls, self._controls, self._faults, self._registry, self._events, self.ports,
                  self._host)
        self._web = WSGIServer(sock, web, spawn=Pool(self.room.calls), log=None,
                               error_log=logging.getLogger("sandbox.http"), handler_class=Handler)
        self._web.start()
        shown = "127.0.0.1" if self._host in ("", "0.0.0.0", "::") else self._host
        log.info("the desk, for a browser: http://%s:%d/", f"[{shown}]" if ":" in shown else shown, self.ports["http"])

    def stop(self) -> None:
        """Closes every port and every connection."""
        for port in PORTS:
            self.close(port)
        if self._web is not None:
            self._web.stop(timeout=0.5)
        for connection in self._registry.in_scope(None, None):
            connection.end("the sandbox stops")

    def open(self, port: str) -> None:
        """Listens on a terminals' port, the same one as before. Raises OSError."""
        if port in self._servers:
            self._servers[port].start_accepting()
            self._servers[port].socket.listen(BACKLOG)
            return
        sock = listener(self._host, self.ports[port])
        self.ports[port] = sock.getsockname()[1]
        server = StreamServer(sock, lambda client, address: self._serve(client, address, port))
        server.start()
        self._servers[port] = server
        self._events.add("listening", port=port, detail=str(self.ports[port]))

    def close(self, port: str) -> None:
        """Refuses connections to a terminals' port from now on; open ones stay."""
        server = self._servers.pop(port, None)
        if server is not None:
            server.close()
            self._events.add("stopped", port=port)

    def stall(self, port: str, backlog: int | None) -> None:
        """Accepts nothing more at a terminals' port that is open; so many connections may wait there."""
        server = self._servers.get(port)
        if server is not None:
            server.stop_accepting()
            server.socket.listen(backlog or BACKLOG)
            self._events.add("stalled", port=port)

    def _serve(self, sock: socket.socket, address: Any, port: str) -> None:
        if len(self._registry.connections) + self._handshakes >= self.room.terminals:
            self._tell_full()
            return
        if self._tls is not None:
            sock.settimeout(HANDSHAKE)
            self._handshakes += 1
            try:
                sock = self._tls.wrap_socket(sock, server_side=True)
            except OSError as error:
                self._events.add("handshake-failed", port=port, detail=str(error)[:200])
                return
            finally:
                self._handshakes -= 1
        self._registry.accept(sock, f"{address[0]} port {address[1]}", port).serve()

    def _tell_full(self) -> None:
        now = time.monotonic()
        if now >= self._full_from:
            self._full_from = now + FULL_AGAIN
            log.warning("%d connections are open, and the limit on open files (%d) leaves no room for more: further "
                        "ones are closed. %s", self.room.terminals, self.room.files, REMEDY)
