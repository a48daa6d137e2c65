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
  address only GET, and only for the page itself: what a page of another origin in the same browser asks for is
  refused, and so is one whose own name was pointed at this address (DNS rebinding).
- Every answer but the page, the events and the metrics is JSON; an error is {"error": what is wrong and what to do}.
- Nothing here waits for the cloud: the controls only pass it on.
"""
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

import gevent

from econduit_terminal.conf.schema import Local
from econduit_terminal.conf.settings import SettingsError
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.reader import ContractError, parse_object
from econduit_terminal.process.browsers import PROTECTION, host_name, is_loopback, of_another_page
from econduit_terminal.process.logs import clean

from ..status.store import StatusStore, Subscription
from . import page
from .listen_address import ListenAddress, TcpAddress, UnixAddress
from .server import Handler, Listener

MAX_BODY = 64 * 1024
MAX_SUBSCRIBERS = 32  # on each listener
KEEPALIVE = 5.0  # seconds between comments on a quiet event stream
JSON = "application/json"

log = logging.getLogger("api")

Headers = Sequence[tuple[str, str]]


class Controls(Protocol):
    """What the local API controls (app.App); nothing here blocks for long."""

    def network(self, report: NetworkReport) -> None: ...
    def verify(self) -> None: ...
    def reconnect(self, reason: str) -> None: ...
    def reload(self) -> list[str]: ...


class _Refused(Exception):
    """The answer to a request that cannot be served."""

    def __init__(self, status: str, error: str, headers: Headers = (), **more: list[str]):
        super().__init__(error)
        self.status = status
        self.answer = _answer({"error": error, **more}, headers)


class _Answer(NamedTuple):
    kind: str
    body: Iterable[bytes]
    headers: Headers = ()


class Api:
    """Both listeners. `local`: the settings of that section."""

    def __init__(self, local: Local, store: StatusStore, controls: Controls):
        self._local = local
        self._store = store
        self._controls = controls
        self._listeners: dict[str, Listener] = {}

    def start(self) -> None:
        """Returns at once. What cannot be bound is a problem of the status, and is tried again."""
        self.reconfigure(self._local)

    def reconfigure(self, local: Local) -> None:
        """Serves at the addresses of these settings; one that did not change is left alone. Returns at once."""
        self._local = local
        addresses: dict[str, ListenAddress] = {"local API": UnixAddress(local.socket)}
        if local.display is not None:
            addresses["display"] = TcpAddress(local.display)
        for name in self._listeners.keys() - addresses.keys():
            gevent.spawn(self._listeners.pop(name).stop)
        for name, address in addresses.items():
            before = self._listeners.get(name)
            if before is None or str(before.address) != str(address):
                controls = self._controls if name == "local API" else None
                self._listeners[name] = Listener(name, address, Application(self._store, controls), self._store)
                self._listeners[name].start(after=before)

    def stop(self) -> None:
        """Ends what is being served, after a moment for answers on their way."""
        gevent.joinall([gevent.spawn(listener.stop) for listener in self._listeners.values()])
        self._listeners = {}


class Application:
    """WSGI. Without controls it is the display's: GET only, and the Host header is checked."""

    def __init__(self, store: StatusStore, controls: Controls | None):
        self._store = store
        self._controls = controls
        self._streams: dict[Handler, Subscription] = {}
        self._get: dict[str, Callable[[WSGIEnvironment], _Answer]] = {
            "/": self._page,
            "/status": self._status,
            "/events": self._events,
            "/health": self._health,
            "/metrics": self._metrics,
        }
        self._post: dict[str, Callable[[WSGIEnvironment, Controls], _Answer]] = {
            "/network": _network,
            "/verify": _verify,
            "/reconnect": _reconnect,
            "/reload": _reload,
        }

    def close(self) -> None:
        """Ends the event streams there are."""
        for connection, changes in self._streams.items():
            connection.gone = True
            changes.wake()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status = "200 OK"
        try:
            self._check_asker(environ)
            answer = self._route(environ)
        except _Refused as refused:
            status, answer = refused.status, refused.answer
        except ContractError as error:
            status, answer = "400 Bad Request", _answer({"error": str(error)})
        except Exception:
            log.exception("%s %s failed", environ["REQUEST_METHOD"], clean(environ["PATH_INFO"], 80))
            status = "500 Internal Server Error"
            answer = _answer({"error": "the agent failed at this; its log says more"})
        start_response(status, [("Content-Type", answer.kind), ("Cache-Control", "no-store"),
                                *PROTECTION, *answer.headers])
        return answer.body

    def _check_asker(self, environ: WSGIEnvironment) -> None:
        if self._controls is not None:
            return
        host = host_name(environ.get("HTTP_HOST", ""))
        reached = _connection(environ).server_host()
        if not is_loopback(host) and host not in (reached, f"[{reached}]"):
            raise _Refused("403 Forbidden", f"the Host header {clean(host, 80)!r} is not this terminal; "
                                            "use http://localhost or http://127.0.0.1 with the display's port")
        if of_another_page(environ, page=environ["PATH_INFO"] == "/"):
            raise _Refused("403 Forbidden", "a page of another origin asks; open the display itself")

    def _route(self, environ: WSGIEnvironment) -> _Answer:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path not in self._get and path not in self._post:
            routes = [*(f"GET {known}" for known in self._get), *(f"POST {known}" for known in self._post)]
            raise _Refused("404 Not Found", f"there is no {clean(path, 80)}; see routes", routes=routes)
        allowed = "GET" if path in self._get else "POST"
        if method != allowed:
            raise _Refused("405 Method Not Allowed", f"{path} takes {allowed}", [("Allow", allowed)])
        if allowed == "GET":
            return self._get[path](environ)
        if self._controls is None:
            raise _Refused("405 Method Not Allowed", f"{path} is served on the agent's Unix socket only",
                           [("Allow", "GET")])
        return self._post[path](environ, self._controls)

    def _page(self, _environ: WSGIEnvironment) -> _Answer:
        return _Answer("text/html; charset=utf-8", [page.render(self._store.snapshot())], page.HEADERS)

    def _status(self, _environ: WSGIEnvironment) -> _Answer:
        return _Answer(JSON, [self._store.snapshot().to_line()])

    def _health(self, _environ: WSGIEnvironment) -> _Answer:
        return _answer({"ok": True})

    def _metrics(self, _environ: WSGIEnvironment) -> _Answer:
        return _Answer("text/plain; version=0.0.4; charset=utf-8", [self._store.metrics().encode()])

    def _events(self, environ: WSGIEnvironment) -> _Answer:
        if len(self._streams) >= MAX_SUBSCRIBERS:
            raise _Refused("503 Service Unavailable", f"{MAX_SUBSCRIBERS} subscribers are here already; close one or "
                                                      "ask GET /status instead", [("Retry-After", "5")])
        return _Answer("text/event-stream", self._stream(_connection(environ)))

    def _stream(self, connection: Handler) -> Iterator[bytes]:
        with self._store.subscribe() as changes, connection.streaming(changes.wake):
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


def _network(environ: WSGIEnvironment, controls: Controls) -> _Answer:
    controls.network(NetworkReport.from_json(parse_object(_body(environ))))
    return _answer({"ok": True})


def _verify(environ: WSGIEnvironment, controls: Controls) -> _Answer:
    parse_object(_body(environ))
    controls.verify()
    return _answer({"ok": True})


def _reconnect(environ: WSGIEnvironment, controls: Controls) -> _Answer:
    reason = parse_object(_body(environ)).get("reason", "")
    if not isinstance(reason, str):
        raise ContractError("reason: not text; send {\"reason\": \"why\"} or nothing")
    reason = clean(reason) or "asked for over the local API"
    controls.reconnect(reason)
    return _answer({"ok": True, "reason": reason})


def _reload(environ: WSGIEnvironment, controls: Controls) -> _Answer:
    parse_object(_body(environ))
    try:
        changed = controls.reload()
    except SettingsError as error:
        raise _Refused("400 Bad Request", "the settings have mistakes; the agent keeps those it had",
                       mistakes=list(error.mistakes)) from None
    return _answer({"ok": True, "changed": list(changed)})


def _answer(answer: dict[str, object], headers: Headers = ()) -> _Answer:
    return _Answer(JSON, [json.dumps(answer).encode("ascii") + b"\n"], headers)


def _connection(environ: WSGIEnvironment) -> Handler:
    connection: Handler = environ["econduit.connection"]
    return connection


def _body(environ: WSGIEnvironment) -> bytes:
    try:
        body: bytes = environ["wsgi.input"].read(MAX_BODY + 1)
    except OSError:
        raise _Refused("400 Bad Request", "the body did not arrive whole, or not in time",
                       [("Connection", "close")]) from None
    if len(body) > MAX_BODY:
        raise _Refused("413 Payload Too Large", f"the body has more than {MAX_BODY} bytes; send less",
                       [("Connection", "close")])
    return body
