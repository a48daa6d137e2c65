"""An eConduit cloud for your desk: two ports for terminals, one for HTTP."""
import json
import logging
import os
import signal
import socket
import ssl
import sys
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer
from gevent.server import StreamServer

from econduit_terminal.sandbox.controls import Controls
from econduit_terminal.sandbox.events import EventLog
from econduit_terminal.sandbox.faults import PORTS, Faults
from econduit_terminal.sandbox.results import Results
from econduit_terminal.sandbox.registry import Registry
from econduit_terminal.sandbox.transactions import Transactions
from econduit_terminal.sandbox.web import Handler, Web

log = logging.getLogger("sandbox")

MAX_CONNECTIONS = 4000
MAX_CALLS = 1000
HANDSHAKE = 10.0


def listener(host: str, port: int) -> socket.socket:
    """A listening TCP socket that takes over a port its predecessor has just left. Raises OSError, which names both."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(1024)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"cannot listen on {host} port {port} ({error.strerror or error})") from None
    return sock


class Cloud:
    """The parts, joined. ``ports`` names the three ports once ``start`` is through."""

    def __init__(self, host: str, primary: int, secondary: int, http: int, *, timeout: float, check_interval: float,
                 idle_timeout: float, send_timeout: float, terminal_types: tuple[str, ...] = (),
                 tls: ssl.SSLContext | None = None) -> None:
        self.ports = {"primary": primary, "secondary": secondary, "http": http}
        self._host, self._tls = host, tls
        self._events = EventLog()
        self._faults = Faults()
        self._registry = Registry(self._faults, self._events, terminal_types=terminal_types, idle_timeout=idle_timeout,
                                  send_timeout=send_timeout)
        self._transactions = Transactions(
            self._registry, self._events, Results(check_interval=check_interval), timeout)
        self._controls = Controls(self._faults, self._registry, self._transactions, self._events, self)
        self._servers: dict[str, StreamServer] = {}
        self._web: WSGIServer | None = None

    def start(self) -> None:
        """Opens the three ports. Raises OSError."""
        for port in PORTS:
            self.open(port)
        sock = listener(self._host, self.ports["http"])
        self.ports["http"] = sock.getsockname()[1]
        web = Web(self._transactions, self._controls, self._faults, self._registry, self._events, self.ports)
        self._web = WSGIServer(sock, web, spawn=Pool(MAX_CALLS), log=None, error_log=logging.getLogger("sandbox.http"),
                               handler_class=Handler)
        self._web.start()

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

    def _serve(self, sock: socket.socket, address: Any, port: str) -> None:
        if len(self._registry.connections) >= MAX_CONNECTIONS:
            log.warning("%d connections are open: a further one is closed", MAX_CONNECTIONS)
            return
        if self._tls is not None:
            sock.settimeout(HANDSHAKE)
            try:
                sock = self._tls.wrap_socket(sock, server_side=True)
            except OSError as error:
                self._events.add("handshake-failed", port=port, detail=str(error)[:200])
                return
        self._registry.accept(sock, f"{address[0]} port {address[1]}", port).serve()


def until_stopped(with_stdin: bool) -> None:
    """Waits for SIGTERM or SIGINT or, ``with_stdin``, until whoever holds the other end of stdin is gone."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stop.set)
    if with_stdin:
        gevent.spawn(_until_closed, stop)
    stop.wait()


def _until_closed(stop: Event) -> None:
    try:
        while gevent.get_hub().threadpool.apply(os.read, (0, 4096)):
            pass
    except OSError as error:
        log.warning("stdin cannot be read: %s", error)
    stop.set()


def announce(ready: dict[str, Any]) -> None:
    """The line on stdout that says that the program is ready, and where."""
    try:
        print(json.dumps(ready), flush=True)
    except OSError:
        log.warning("nobody reads the readiness line")
        sys.stdout = open(os.devnull, "w")
