"""An eConduit cloud for your desk: two ports for terminals, one for HTTP."""
import logging
import socket
import ssl
from typing import Any

from gevent.pool import Pool
from gevent.pywsgi import WSGIServer
from gevent.server import StreamServer

from econduit_terminal.sandbox.cloud.controls import Controls
from econduit_terminal.sandbox.cloud.events import EventLog
from econduit_terminal.sandbox.cloud.faults import PORTS, Faults
from econduit_terminal.sandbox.cloud.public_calls import PublicCalls
from econduit_terminal.sandbox.cloud.registry import Registry
from econduit_terminal.sandbox.cloud.results import Results
from econduit_terminal.sandbox.cloud.web import Handler, Web
from econduit_terminal.sandbox.program import listener

log = logging.getLogger("sandbox")

MAX_CONNECTIONS = 4000
MAX_CALLS = 1000
HANDSHAKE = 10.0


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
        self._calls = PublicCalls(
            self._registry, self._events, Results(check_interval=check_interval), timeout)
        self._controls = Controls(self._faults, self._registry, self._calls, self._events, self)
        self._servers: dict[str, StreamServer] = {}
        self._web: WSGIServer | None = None

    def start(self) -> None:
        """Opens the three ports. Raises OSError."""
        for port in PORTS:
            self.open(port)
        sock = listener(self._host, self.ports["http"])
        self.ports["http"] = sock.getsockname()[1]
        web = Web(self._calls, self._controls, self._faults, self._registry, self._events, self.ports)
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
