"""Speaks to the agent over its Unix socket: for the commands and for the watchdog. Standard library alone, no gevent.

HTTP/1.0 by hand, as far as the agent's own answers go: `http.client` brings TLS and e-mail with it, 5 MB that the
watchdog would carry forever.
"""
import errno
import io
import json
import os
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ParamSpec, TypeVar

from .network_report import NetworkReport
from .reader import ContractError
from .status import Status

EVENTS_TIMEOUT = 15.0  # seconds without a byte on the event stream; the agent sends one every 5 s at least
MAX_ANSWER = 1024 * 1024
MAX_LINE = 16 * 1024
MAX_HEADERS = 100
MAX_DIGITS = 20  # of a length; a longer one is beyond MAX_ANSWER anyway

P = ParamSpec("P")
T = TypeVar("T")


class AgentError(Exception):
    """The agent said no, or did not answer in time; the text is for people. `mistakes`: wrong settings, if those."""

    def __init__(self, text: str, mistakes: Iterable[str] = ()):
        super().__init__(text)
        self.mistakes = tuple(mistakes)


class NotRunning(AgentError):
    """Nobody serves the socket."""


class NotAllowed(AgentError):
    """This user may not ask: nothing is known of the agent."""


class Client:
    """One connection for each call. `timeout`: seconds to connect, to ask, and to get the whole answer."""

    def __init__(self, socket_path: str | os.PathLike[str], timeout: float = 2.0):
        self._path = os.fspath(socket_path)
        self.timeout = timeout

    def status(self) -> Status:
        return self._status(self._call("GET", "/status"))

    def health(self) -> dict[str, Any]:
        return self._json("GET", "/health")

    def metrics(self) -> str:
        return self._call("GET", "/metrics").decode(errors="replace")

    def report(self, report: NetworkReport) -> None:
        """Hands over a network report."""
        self._json("POST", "/network", report.to_json())

    def verify(self) -> dict[str, Any]:
        return self._json("POST", "/verify", {})

    def reconnect(self, reason: str = "") -> dict[str, Any]:
        return self._json("POST", "/reconnect", {"reason": reason})

    def reload(self) -> dict[str, Any]:
        """{"changed": keys}. Raises AgentError with `mistakes` where the settings are wrong."""
        return self._json("POST", "/reload", {})

    def pid(self) -> int:
        """The process that serves the socket, as the kernel knows it: right even while that process hangs."""
        with self._dial() as dialed:
            pid: int = struct.unpack("3i", dialed.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
            return pid

    def events(self) -> Iterator[Status]:
        """The state now, then at every change; ends when the agent ends the stream."""
        with self._dial() as dialed:
            answer, _ = self._request(dialed, "GET", "/events", None)
            answer.flow()
            while line := self._reading(answer.readline, MAX_ANSWER):
                if line.startswith(b"data: "):
                    yield self._status(line[6:])

    def _status(self, data: bytes) -> Status:
        try:
            return Status.from_json(self._parsed(data))
        except ContractError as error:
            raise AgentError(f"what serves {self._path} does not answer as the agent does ({error})") from None

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._parsed(self._call(method, path, body))

    def _parsed(self, data: bytes) -> dict[str, Any]:
        try:
            parsed = json.loads(data)
        except (ValueError, RecursionError):
            parsed = None
        if not isinstance(parsed, dict):
            raise AgentError(f"what serves {self._path} does not answer as the agent does")
        return parsed

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        with self._dial() as dialed:
            return self._body(*self._request(dialed, method, path, body))

    def _dial(self) -> socket.socket:
        dialed = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        dialed.settimeout(self.timeout)
        try:
            dialed.connect(self._path)
        except OSError as error:
            dialed.close()
            if error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR):
                raise NotRunning(f"the agent is not running (nobody serves {self._path})") from None
            if error.errno in (errno.EACCES, errno.EPERM):
                raise NotAllowed(f"no permission to open {self._path}; run this as root or as a member of the group"
                                 " econduit") from None
            if isinstance(error, TimeoutError) or error.errno == errno.EAGAIN:
                raise self._too_slow() from None
            raise AgentError(f"{self._path} cannot be opened: {error.strerror or error}") from None
        return dialed

    def _request(self, dialed: socket.socket, method: str, path: str,
                 body: Mapping[str, Any] | None) -> tuple["_Answer", int | None]:
        """The answer as a stream, at the beginning of its body, and the body's length (None: until the end)."""
        data = b"" if body is None else json.dumps(body).encode()
        head = (f"{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(data)}\r\n\r\n")
        self._reading(dialed.sendall, head.encode() + data)
        answer = _Answer(_Arriving(dialed, self.timeout))
        status = self._reading(answer.readline, MAX_LINE).split(b" ", 2)
        if len(status) < 2 or not status[0].startswith(b"HTTP/1.") or not status[1].isdigit():
            raise self._cut_off("no HTTP status")
        length = self._headers(answer)
        if status[1] != b"200":
            raise self._refusal(status, self._body(answer, length))
        return answer, length

    def _headers(self, answer: "_Answer") -> int | None:
        length = None
        for _ in range(MAX_HEADERS):
            line = self._reading(answer.readline, MAX_LINE)
            if not line.endswith(b"\n"):
                raise self._cut_off("in the headers")
            if line in (b"\r\n", b"\n"):
                return length
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length" and value.strip().isdigit():
                length = int(value.strip()[:MAX_DIGITS])
        raise self._cut_off("too many headers")

    def _body(self, answer: "_Answer", length: int | None) -> bytes:
        data = self._reading(answer.read, MAX_ANSWER if length is None else min(length, MAX_ANSWER))
        if length is not None and len(data) < length:
            raise self._cut_off(f"{len(data)} of {length} bytes")
        return data

    def _refusal(self, status: list[bytes], body: bytes) -> AgentError:
        try:
            answer = json.loads(body)
            return AgentError(str(answer["error"]), answer.get("mistakes", ()))
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            return AgentError(f"the agent answered {b' '.join(status[1:]).decode(errors='replace').strip()}")

    def _reading(self, step: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """Runs one step of a call; whatever goes wrong on the wire becomes an AgentError."""
        try:
            return step(*arguments, **options)
        except TimeoutError:
            raise self._too_slow() from None
        except OSError as error:
            raise self._cut_off(error) from None

    def _cut_off(self, how: object) -> AgentError:
        return AgentError(f"the agent ended the call before its answer was whole ({how})")

    def _too_slow(self) -> AgentError:
        return AgentError(f"the agent serves {self._path} but did not answer in time; it may hang")


class _Arriving(io.RawIOBase):
    """What a socket gives. All of it within `seconds`, or after `flow` each read within EVENTS_TIMEOUT: a timeout of
    the socket itself would start again at each byte."""

    def __init__(self, dialed: socket.socket, seconds: float):
        self._dialed = dialed
        self._deadline: float | None = time.monotonic() + seconds

    def flow(self) -> None:
        self._deadline = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = EVENTS_TIMEOUT if self._deadline is None else self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._dialed.settimeout(left)
        return self._dialed.recv_into(buffer)


class _Answer(io.BufferedReader):
    """An answer as a stream."""

    def __init__(self, arriving: _Arriving):
        super().__init__(arriving)
        self.flow = arriving.flow
