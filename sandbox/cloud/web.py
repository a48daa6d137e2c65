"""The cloud's HTTP side: the public calls below /services/api.asmx, the sandbox's own below /sandbox, the desk at /.

Bad requests cost one answer with a sentence, and nothing else: bodies, waits and idle connections are bounded. What a
page of another origin asks for is refused: whoever has the desk open in a browser has other pages open in it, too.
"""
import json
import logging
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from gevent.pywsgi import WSGIHandler

from econduit_terminal.process.browsers import PROTECTION, host_name, is_loopback, of_another_page
from econduit_terminal.process.logs import clean
from econduit_terminal.sandbox.cloud import faults as F
from econduit_terminal.sandbox.cloud.calls import CALLS, CallError, find
from econduit_terminal.sandbox.cloud.controls import Controls
from econduit_terminal.sandbox.cloud.events import KINDS, EventLog
from econduit_terminal.sandbox.cloud.public_calls import PublicCalls
from econduit_terminal.sandbox.cloud.registry import Registry
from econduit_terminal.sandbox.desk import page
from econduit_terminal.sandbox.desk.feed import Feed

log = logging.getLogger("sandbox.http")

PUBLIC = "/services/api.asmx/"
MAX_BODY = 8 << 20
MAX_WAIT = 60.0
IDLE = 120.0
"""Seconds: that a caller may ask to wait for events, and that a connection may be idle."""
REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
           413: "Content Too Large", 429: "Too Many Requests", 500: "Internal Server Error"}


class Handler(WSGIHandler):
    """gevent's handler with a limit on how long a caller may keep a connection idle or a request half sent."""

    def handle(self) -> None:
        """Serves one connection."""
        self.socket.settimeout(IDLE)
        super().handle()

    def log_error(self, msg: str, *args: Any) -> None:
        """One clean line in place of what the caller sent."""
        log.info("a bad request: %s", clean(msg % args if args else msg))


class Refused(Exception):
    """The request cannot be served: an HTTP status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Web:
    """The WSGI application. `host`: where it listens."""

    def __init__(self, calls: PublicCalls, controls: Controls, faults: F.Faults, registry: Registry,
                 events: EventLog, ports: dict[str, int], host: str) -> None:
        self._calls, self._controls, self._faults = calls, controls, faults
        self._registry, self._events, self._ports = registry, events, ports
        self._private = is_loopback(host)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            self._check_asker(environ)
            if environ["REQUEST_METHOD"] == "GET" and environ.get("PATH_INFO") in ("/", "/sandbox/stream"):
                return self._desk(environ, start_response)
            status, answer = self._answer(environ)
        except (Refused, CallError, F.ControlError) as mistake:
            status = getattr(mistake, "status", 400)
            answer = {"ResultCode": "Error", "Message": str(mistake), "ResultFinal": False}
        except Exception:
            log.exception("a mistake in the sandbox")
            status, answer = 500, {"ResultCode": "Error", "Message": "a mistake in the sandbox, see its log"}
        body = json.dumps(answer).encode() + b"\n"
        start_response(f"{status} {REASONS[status]}", [
            ("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store"),
            *PROTECTION])
        return [body]

    def _check_asker(self, environ: dict[str, Any]) -> None:
        if of_another_page(environ, page=environ.get("PATH_INFO") == "/"):
            raise Refused(403, "a page of another origin asks; call the sandbox from its own page or from a program")
        host = host_name(environ.get("HTTP_HOST", "localhost"))
        if self._private and not is_loopback(host):
            raise Refused(403, f"the Host header {clean(host, 80)!r} is not this machine: use localhost or 127.0.0.1, "
                               "or start the sandbox with --host and the machine's address")

    def _desk(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The page for people, and what it follows."""
        if environ["PATH_INFO"] == "/":
            start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"),
                                      *page.HEADERS, *PROTECTION])
            return [page.render(self._ports)]
        wanted = str(_given(environ).get("terminal") or "")
        start_response("200 OK", [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"), *PROTECTION])
        return Feed(self._registry, self._faults, self._events, wanted).stream()

    def _answer(self, environ: dict[str, Any]) -> tuple[int, Any]:
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if method not in ("GET", "POST"):
            raise Refused(405, "GET or POST")
        if path.lower().startswith(PUBLIC):
            name = find(path[len(PUBLIC):])
            if name is None:
                raise Refused(404, "there are " + ", ".join(CALLS))
            answer = self._calls.call(name, _given(environ))
            return (429 if answer.get("TooSoon") else 200), answer
        if path.rstrip("/") == "/sandbox" and method == "GET":
            return 200, self._overview()
        if path == "/sandbox/counts" and method == "GET":
            return 200, self._registry.counts()
        if path == "/sandbox/events" and method == "GET":
            return 200, self._news(_given(environ))
        if path == "/sandbox/terminals" and method == "GET":
            return 200, self._registry.listing()
        if path.startswith("/sandbox/"):
            if method != "POST":
                raise Refused(405, "controls are POSTed; GET /sandbox lists them")
            return 200, self._controls.use(path[len("/sandbox/"):], _given(environ))
        raise Refused(404, f"there are /, {PUBLIC}runTransaction?… and /sandbox")

    def _news(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            since, wait = int(given.get("since", 0)), float(given.get("wait", 0))
            if since < 0 or not 0 <= wait <= MAX_WAIT:
                raise ValueError
        except ValueError:
            raise Refused(400, f"since is a whole number from 0, wait is seconds, 0 to {MAX_WAIT:.0f}") from None
        return self._events.wait(since, wait, given.get("kind"), given.get("terminal"))

    def _overview(self) -> dict[str, Any]:
        return {
            "ports": self._ports, "terminals": self._registry.listing(),
            "connections": [{"connection": c.number, "port": c.port, "terminal": c.terminal,
                             "registered": c.registered} for c in self._registry.connections.values()],
            "faults": self._faults.listing(), "last_event": self._events.last, "events": KINDS,
            "controls": {name: {
                "help": control.help, "stays": control.stays,
                "parameters": {key: p.help for key, p in F.parameters_of(control).items()},
            } for name, control in F.CONTROLS.items()},
        }


def _given(environ: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a request: of its query and, when it has one, its body (a JSON object or a form)."""
    query = environ.get("QUERY_STRING", "")
    try:
        size = int(environ.get("CONTENT_LENGTH") or 0)
        if size > MAX_BODY:
            raise Refused(413, f"at most {MAX_BODY} bytes")
        body = environ["wsgi.input"].read(size) if size > 0 else b""
        given: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=100))
        if body.lstrip()[:1] == b"{":
            given.update(json.loads(body))
        elif body:
            given.update(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
    except (ValueError, RecursionError, OSError):
        raise Refused(400, "the query or the body cannot be read: a query, a form or one JSON object") from None
    return given
