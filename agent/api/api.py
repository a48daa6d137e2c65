"""The local API: what the terminal is, for other programs on it; and the page that shows it to people.

    GET  /status      the state, JSON
    GET  /events      the same as server-sent events: the state at once, then at each change
    GET  /health      answered by the hub itself: the agent is alive
    GET  /metrics     Prometheus text
    GET  /            the display page
    POST /network     a watchdog's report                 (contract.network_report)
    POST /verify      a heartbeat now
    POST /reconnect   {"reason": "…"}, optional
    POST /reload      read the settings again

Rules
- Two listeners, one application: the Unix socket takes everything (its file mode says who may), the display's TCP
  address only GET, and only from a browser that was sent here by this name: a foreign page whose own name was pointed
  at this address (DNS rebinding) is refused.
- Every answer but the page, the events and the metrics is JSON; an error is {"error": what is wrong and what to do}.
- Nothing here waits for the cloud: the controls only hand the wish on.
"""
import json
import logging

import gevent

from econduit_terminal.conf.settings import SettingsError
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.reader import ContractError, parse_object
from econduit_terminal.process.logs import clean

from . import page
from .listen_address import TcpPlace, UnixPlace
from .server import Listener

MAX_BODY = 64 * 1024
MAX_SUBSCRIBERS = 32  # on each listener
KEEPALIVE = 5.0  # seconds between comments on a quiet event stream
JSON = "application/json"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

log = logging.getLogger("api")


class _Refused(Exception):
    """The answer to a request that cannot be served."""

    def __init__(self, status: str, error: str, headers=(), **more):
        super().__init__(error)
        self.status = status
        self.headers = list(headers)
        self.answer = {"error": error, **more}


class Api:
    """Both listeners. `local` are the settings of that section, `controls` has network(report), verify(),
    reconnect(reason) and reload() -> changed keys, none of which may block for long."""

    def __init__(self, local, board, controls):
        self._local = local
        self._board = board
        self._controls = controls
        self._listeners: dict[str, Listener] = {}

    def start(self) -> None:
        """Returns at once. What cannot be bound is a problem on the board, and is tried again."""
        self.reconfigure(self._local)

    def reconfigure(self, local) -> None:
        """Serves at the addresses of these settings; one that did not change is left alone. Returns at once."""
        self._local = local
        places = {"local API": UnixPlace(local.socket)}
        if local.display is not None:
            places["display"] = TcpPlace(local.display)
        for name in self._listeners.keys() - places.keys():
            gevent.spawn(self._listeners.pop(name).stop)
        for name, place in places.items():
            before = self._listeners.get(name)
            if before is None or str(before.place) != str(place):
                controls = self._controls if name == "local API" else None
                self._listeners[name] = Listener(name, place, Application(self._board, controls), self._board)
                self._listeners[name].start(after=before)

    def stop(self) -> None:
        """Ends what is being served, after a moment for answers on their way."""
        gevent.joinall([gevent.spawn(listener.stop) for listener in self._listeners.values()])
        self._listeners = {}


class Application:
    """WSGI. Without controls it is the display's: GET only, and the Host header is checked."""

    def __init__(self, board, controls):
        self._board = board
        self._controls = controls
        self._streams = {}  # connection: what wakes its stream
        self._routes = {
            ("GET", "/"): self._page,
            ("GET", "/status"): self._status,
            ("GET", "/events"): self._events,
            ("GET", "/health"): self._health,
            ("GET", "/metrics"): self._metrics,
            ("POST", "/network"): self._network,
            ("POST", "/verify"): self._verify,
            ("POST", "/reconnect"): self._reconnect,
            ("POST", "/reload"): self._reload,
        }

    def close(self) -> None:
        """Ends the event streams there are."""
        for connection, changes in self._streams.items():
            connection.gone = True
            changes.wake()

    def __call__(self, environ, start_response):
        try:
            self._check_host(environ)
            status, kind, body, headers = "200 OK", *self._route(environ)(environ)
        except _Refused as refused:
            status, kind, body, headers = refused.status, JSON, _json(refused.answer), refused.headers
        except ContractError as error:
            status, kind, body, headers = "400 Bad Request", JSON, _json({"error": str(error)}), []
        except Exception:
            log.exception("%s %s failed", environ["REQUEST_METHOD"], clean(environ["PATH_INFO"], 80))
            status, kind, headers = "500 Internal Server Error", JSON, []
            body = _json({"error": "the agent failed at this; its log says more"})
        start_response(status, [("Content-Type", kind), ("Cache-Control", "no-store"),
                                ("X-Content-Type-Options", "nosniff"), *headers])
        return body

    def _check_host(self, environ) -> None:
        if self._controls is not None:
            return
        host = _without_port(environ.get("HTTP_HOST", "")).lower()
        reached = environ["econduit.connection"].server_address()[0]
        if host not in (*LOOPBACK, reached, f"[{reached}]"):
            raise _Refused("403 Forbidden", f"the Host header {clean(host, 80)!r} is not this terminal; "
                                            "use http://localhost or http://127.0.0.1 with the display's port")

    def _route(self, environ):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        methods = [known for known, route in self._routes if route == path]
        if not methods:
            raise _Refused("404 Not Found", f"there is no {clean(path, 80)}; see routes",
                           routes=[" ".join(route) for route in self._routes])
        if method not in methods:
            raise _Refused("405 Method Not Allowed", f"{path} takes {methods[0]}", [("Allow", methods[0])])
        if method != "GET" and self._controls is None:
            raise _Refused("405 Method Not Allowed", f"{path} is served on the agent's Unix socket only",
                           [("Allow", "GET")])
        return self._routes[method, path]

    # GET

    def _page(self, _environ):
        return "text/html; charset=utf-8", [page.render(self._board.snapshot())], page.HEADERS

    def _status(self, _environ):
        return JSON, [self._board.snapshot().to_line()], []

    def _health(self, _environ):
        return JSON, _json({"ok": True}), []

    def _metrics(self, _environ):
        return "text/plain; version=0.0.4; charset=utf-8", [self._board.metrics().encode()], []

    def _events(self, environ):
        if len(self._streams) >= MAX_SUBSCRIBERS:
            raise _Refused("503 Service Unavailable", f"{MAX_SUBSCRIBERS} subscribers are here already; close one or "
                                                      "ask GET /status instead", [("Retry-After", "5")])
        return "text/event-stream", self._stream(environ["econduit.connection"]), []

    def _stream(self, connection):
        with self._board.subscribe() as changes, connection.streaming(changes.wake):
            self._streams[connection] = changes
            try:
                yield b"retry: 1000\n"
                while True:
                    snapshot = changes.wait(KEEPALIVE)
                    if connection.gone:
                        return
                    yield b": keepalive\n\n" if snapshot is None else b"data: " + snapshot.to_line() + b"\n"
            finally:
                del self._streams[connection]

    # POST

    def _network(self, environ):
        self._controls.network(NetworkReport.from_json(parse_object(_body(environ))))
        return JSON, _json({"ok": True}), []

    def _verify(self, environ):
        parse_object(_body(environ))
        self._controls.verify()
        return JSON, _json({"ok": True}), []

    def _reconnect(self, environ):
        reason = parse_object(_body(environ)).get("reason", "")
        if not isinstance(reason, str):
            raise ContractError("reason: not text; send {\"reason\": \"why\"} or nothing")
        reason = clean(reason) or "asked for over the local API"
        self._controls.reconnect(reason)
        return JSON, _json({"ok": True, "reason": reason}), []

    def _reload(self, environ):
        parse_object(_body(environ))
        try:
            changed = self._controls.reload()
        except SettingsError as error:
            raise _Refused("400 Bad Request", "the settings have mistakes; the agent keeps those it had",
                           mistakes=list(error.mistakes)) from None
        return JSON, _json({"ok": True, "changed": list(changed)}), []


def _json(answer: dict) -> list[bytes]:
    return [json.dumps(answer).encode("ascii") + b"\n"]


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and (":" not in name or name.endswith("]")) else host


def _body(environ) -> bytes:
    try:
        body = environ["wsgi.input"].read(MAX_BODY + 1)
    except OSError:
        raise _Refused("400 Bad Request", "the body did not arrive whole, or not in time",
                       [("Connection", "close")]) from None
    if len(body) > MAX_BODY:
        raise _Refused("413 Payload Too Large", f"the body has more than {MAX_BODY} bytes; send less",
                       [("Connection", "close")])
    return body
