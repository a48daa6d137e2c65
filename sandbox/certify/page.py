"""The page for the person beside the device: what is tried, what to do now, the stop-clock, the log; live by SSE.

A page that is closed and opened again shows where the run is. Plain HTTP on one address; nothing of another host.
"""
import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from econduit_terminal.process.browsers import PROTECTION
from econduit_terminal.sandbox.certify.outcome import Result
from econduit_terminal.sandbox.certify.person import ANSWER_TIMEOUT, Cannot, Prompt
from econduit_terminal.sandbox.certify.plain_words import why_no_port
from econduit_terminal.sandbox.certify.report.html import environment
from econduit_terminal.sandbox.certify.table.model import Case

MAX_LOG = 500
MAX_REQUEST = 16 << 10
MAX_READERS = 20
READ_TIMEOUT = 10.0
BEAT = 1.0
"""Seconds: for a request or a reader that does not read; between two events of a quiet stream."""
ANSWERS = {True: ("yes", "no", "cannot"), False: ("done", "cannot")}
HEADERS = ("Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
           "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'\r\n"
           + "".join(f"{name}: {value}\r\n" for name, value in PROTECTION)
           + "Cache-Control: no-store\r\nConnection: close\r\n")


class Page:
    """A Person and a Watcher."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self.clock: Callable[[], float | None] = lambda: None
        self._server: asyncio.Server | None = None
        self._log: deque[dict[str, Any]] = deque(maxlen=MAX_LOG)
        self._now: dict[str, Any] = {"title": "Waiting for the device", "done": 0.0, "over": False}
        self._prompt: Prompt | None = None
        self._answer: asyncio.Future[tuple[str, str]] | None = None
        self._readers: set[asyncio.Queue[tuple[str, Any]]] = set()
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """For a browser."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/"

    async def open(self) -> None:
        """Listens. Raises OSError, which names the port."""
        try:
            self._server = await asyncio.start_server(self._accepted, self._host, self._port, limit=MAX_REQUEST)
        except OSError as error:
            raise OSError(f"cannot listen on {self._host} port {self._port}: {why_no_port(error)}, or choose another "
                          "with --page") from None
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Tells the readers that it is over, and ends."""
        self._now |= {"title": "Over: see the report", "done": 1.0, "over": True}
        self._tell("now", self._now)
        await asyncio.sleep(0.05)
        if self._server is not None:
            self._server.close()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    # Person

    async def answer(self, prompt: Prompt) -> tuple[str, str]:
        """See Person. A person who closes the page may open it again; one who never comes cannot."""
        self._prompt = prompt
        self._answer = asyncio.get_running_loop().create_future()
        self._tell("prompt", self._shown_prompt())
        try:
            return await asyncio.wait_for(self._answer, ANSWER_TIMEOUT)
        except TimeoutError:
            raise Cannot(f"nobody answered within {ANSWER_TIMEOUT / 60:.0f} min: {prompt.text}") from None
        finally:
            self._prompt = self._answer = None
            self._tell("prompt", None)

    # Watcher

    def begins(self, cases: Sequence[Case], done: float, total: float) -> None:
        """See Watcher."""
        self._now = {"title": cases[0].title, "cases": ", ".join(case.id for case in cases), "does": cases[0].does,
                     "expects": cases[0].expects, "done": done / total, "over": False}
        self._tell("now", self._now)

    def result(self, result: Result) -> None:
        """See Watcher."""
        self._add({"verdict": result.verdict.value, "text": f"{result.case.id} {result.case.title}: {result.seen}"})

    def said(self, text: str) -> None:
        """See Watcher."""
        self._add({"verdict": "", "text": text})

    def _add(self, line: dict[str, Any]) -> None:
        self._log.append(line)
        self._tell("log", line)

    def _tell(self, event: str, data: Any) -> None:
        for reader in self._readers:
            if reader.full():
                # A reader that does not read starts again from the state.
                while not reader.empty():
                    reader.get_nowait()
                reader.put_nowait(("state", self._state()))
            else:
                reader.put_nowait((event, data))

    def _shown_prompt(self) -> dict[str, Any] | None:
        return None if self._prompt is None else {"number": self._prompt.number, "text": self._prompt.text,
                                                  "answers": ANSWERS[self._prompt.yes_no]}

    def _state(self) -> dict[str, Any]:
        return {"now": self._now, "prompt": self._shown_prompt(), "log": list(self._log), "clock": self.clock()}

    # HTTP

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._served)

    def _served(self, task: "asyncio.Task[None]") -> None:
        self._serving.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.said(f"a mistake in this page: {error!r}")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, path, *_ = head[0].split(" ")
                headers = {name.strip().lower(): value.strip() for name, _,
                           value in (line.partition(":") for line in head[1:])}
                size = headers.get("content-length", "0")
                size_ = int(size) if size.isdecimal() else 0
                body = await reader.readexactly(size_) if 0 < size_ <= MAX_REQUEST else b""
            await self._route(method, path.partition("?")[0], headers, body, writer)
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            with contextlib.suppress(OSError):
                writer.close()

    async def _route(self, method: str, path: str, headers: dict[str, str], body: bytes,
                     writer: asyncio.StreamWriter) -> None:
        allowed = {f"{host}:{self._port}" for host in (self._host, "localhost", f"[{self._host}]")}
        if headers.get("host") not in allowed and self._host not in ("", "0.0.0.0", "::"):
            await _reply(writer, "403 Forbidden", "text/plain", b"another host's name\n")
        elif method == "GET" and path == "/":
            page = environment().get_template("page.html").render()
            await _reply(writer, "200 OK", "text/html; charset=utf-8", page.encode())
        elif method == "GET" and path == "/state":
            await _reply(writer, "200 OK", "application/json", json.dumps(self._state()).encode())
        elif method == "GET" and path == "/events":
            await self._stream(writer)
        elif method == "POST" and path == "/answer" and headers.get("content-type", "").startswith("application/json"):
            taken = self._take(body)
            await _reply(writer, "200 OK" if taken else "409 Conflict", "application/json",
                         json.dumps({"taken": taken}).encode())
        else:
            await _reply(writer, "404 Not Found", "text/plain", b"there are /, /state, /events and POST /answer\n")

    def _take(self, body: bytes) -> bool:
        try:
            given = json.loads(body)
            number, answer, note = given["number"], given["answer"], str(given.get("note", ""))[:500]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return False
        if self._prompt is None or self._answer is None or self._answer.done() or number != self._prompt.number \
                or answer not in ANSWERS[self._prompt.yes_no]:
            return False
        self._answer.set_result((answer, " ".join(note.split())))
        return True

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        if len(self._readers) >= MAX_READERS:
            await _reply(writer, "503 Service Unavailable", "text/plain", b"too many readers\n")
            return
        events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(100)
        self._readers.add(events)
        try:
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{HEADERS}\r\n".encode())
            events.put_nowait(("state", self._state()))
            while True:
                try:
                    event, data = await asyncio.wait_for(events.get(), BEAT)
                except TimeoutError:
                    event, data = "clock", self.clock()
                writer.write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())
                async with asyncio.timeout(READ_TIMEOUT):
                    await writer.drain()
        finally:
            self._readers.discard(events)


async def _reply(writer: asyncio.StreamWriter, status: str, kind: str, body: bytes) -> None:
    writer.write(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{HEADERS}\r\n".encode()
                 + body)
    async with asyncio.timeout(READ_TIMEOUT):
        await writer.drain()
