"""The examiner's cloud: two ports that a device dials, each listening, closed, deaf or turning everybody away.

Scenes look at what happened and wait with `until`: whatever changes wakes it, so nothing is missed and nothing is
polled. What a device does by itself is remembered for the whole run, and judged at its end.
"""
import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from econduit_terminal.sandbox.certify.inbox import Message, What, is_heartbeat
from econduit_terminal.sandbox.certify.link import Link
from econduit_terminal.sandbox.certify.plain_words import why_no_port
from econduit_terminal.sandbox.certify.wire_log import WireLog

MAX_LINKS = 300
"""Open connections beyond which a further one is reset."""
MAX_REMEMBERED = 5_000
BACKLOG = 128
FILLERS = 16
AGAIN = 5.0
"""Seconds for which a port that was closed for a scene is asked for again, when another program took it meanwhile."""
T = TypeVar("T")


class Mood(Enum):
    """What a port does with a connection."""

    LISTEN = "accepts"
    CLOSED = "refuses"
    DEAF = "drops SYNs"
    TURN_AWAY = "accepts and closes at once"


class Port:
    """One listening port."""

    def __init__(self, bench: "Bench", name: str, host: str, number: int) -> None:
        self.name, self.host, self.number = name, host, number
        self.mood = Mood.CLOSED
        self.dials = 0
        self._bench = bench
        self._server: asyncio.Server | None = None
        self._deaf: list[socket.socket] = []
        self._was_open = False

    async def open(self) -> None:
        """Listens. Raises OSError, which names the port."""
        await self._hear()
        if self.mood is Mood.TURN_AWAY:
            self.mood = Mood.LISTEN
        if self._server is not None:
            return
        sock = await self._bound()
        self._server = await asyncio.get_running_loop().create_server(self._accepted, sock=sock, backlog=BACKLOG)
        self.mood = Mood.LISTEN
        self._bench.note(f"{self.name} port {self.number} listens")

    async def close(self) -> None:
        """Refuses connections from now on; open ones stay."""
        await self._hear()
        if self._server is not None:
            self._server.close()
            self._server = None
        self.mood = Mood.CLOSED
        self._bench.note(f"{self.name} port {self.number} is closed")

    async def turn_away(self) -> None:
        """Accepts, and closes at once."""
        await self.open()
        self.mood = Mood.TURN_AWAY

    async def deafen(self) -> bool:
        """Fills the accept queue, so that the kernel drops every SYN without a word. False where that cannot be had."""
        await self.close()
        sock = self._bind(0)
        self._deaf = [sock]
        target = ("127.0.0.1" if self.host in ("", "0.0.0.0") else "::1" if self.host == "::" else self.host,
                  self.number)
        for _ in range(FILLERS):
            filler = socket.socket(sock.family, socket.SOCK_STREAM)
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(target)
            self._deaf.append(filler)
        await asyncio.sleep(0.1)
        probe = socket.socket(sock.family, socket.SOCK_STREAM)
        probe.setblocking(False)
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(probe, target), 0.4)
        except TimeoutError:
            self.mood = Mood.DEAF
            self._bench.note(f"{self.name} port {self.number} drops every SYN")
            return True
        except OSError:
            return False
        else:
            return False
        finally:
            probe.close()

    async def _hear(self) -> None:
        for sock in self._deaf:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()
        self._deaf = []
        await asyncio.sleep(0)

    async def _bound(self) -> socket.socket:
        """A listening socket; where the port was ours a moment ago, it may be held by somebody for a moment."""
        deadline = time.monotonic() + (AGAIN if self._was_open else 0.0)
        while True:
            try:
                sock = self._bind(BACKLOG)
            except OSError:
                if time.monotonic() >= deadline:
                    raise
                await asyncio.sleep(0.1)
            else:
                self._was_open = True
                return sock

    def _bind(self, backlog: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self.host, self.number))
            sock.listen(backlog)
        except OSError as error:
            sock.close()
            raise OSError(f"cannot listen on {self.host or '*'} port {self.number}: "
                          f"{why_no_port(error)}, or choose others with --ports") from None
        sock.setblocking(False)
        self.number = sock.getsockname()[1]
        return sock

    def _accepted(self) -> asyncio.Protocol:
        self.dials += 1
        link = self._bench.new_link(self.name)
        if self.mood is Mood.TURN_AWAY or self._bench.crowded:
            asyncio.get_running_loop().call_soon(link.fin)
        return link


class Bench:
    """Both ports and everything that came through them."""

    def __init__(self, host: str, ports: tuple[int, int | None]) -> None:
        self.started = time.monotonic()
        self.log = WireLog()
        self.links: list[Link] = []
        self.on_message: list[Callable[[Link, Message], None]] = []
        self.on_note: list[Callable[[str], None]] = []
        self.primary = Port(self, "primary", host, ports[0])
        self.secondary = Port(self, "secondary", host, ports[1]) if ports[1] is not None else None
        self._waiters: set[asyncio.Future[None]] = set()
        self._numbers = 0
        self._beats = False
        self._open: set[Link] = set()

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    @property
    def ports(self) -> list[Port]:
        """The primary and, where there is one, the secondary."""
        return [port for port in (self.primary, self.secondary) if port is not None]

    @property
    def crowded(self) -> bool:
        """Whether a further connection is one too many."""
        return len(self._open) > MAX_LINKS

    async def open(self) -> None:
        """Listens on every port, as usual. Raises OSError."""
        for port in self.ports:
            await port.open()

    async def close(self) -> None:
        """Refuses on every port."""
        for port in self.ports:
            await port.close()

    async def shut_down(self) -> None:
        """Closes everything."""
        await self.close()
        self.cut_all()

    def cut_all(self) -> None:
        """FIN for every open connection."""
        for link in self.open_links():
            link.fin()

    def open_links(self) -> list[Link]:
        """Every open connection, oldest first."""
        return sorted(self._open, key=lambda link: link.number)

    async def until(self, look: Callable[[], T | None], within: float) -> T | None:
        """The first true value of `look()`, or None when none came in time."""
        deadline = time.monotonic() + within
        while True:
            value = look()
            if value:
                return value
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await asyncio.wait({waiter}, timeout=left)
            finally:
                self._waiters.discard(waiter)

    def note(self, text: str) -> None:
        """A line for the report and for who watches."""
        self.log.add(self.now, "note", "", text.encode())
        for listener in self.on_note:
            listener(text)

    # What links call

    def new_link(self, port: str) -> Link:
        """A connection has been accepted."""
        self._numbers += 1
        link = Link(self, port, self._numbers)
        self._open.add(link)
        if len(self.links) < MAX_REMEMBERED:
            self.links.append(link)
        self.passed("note", link, b"connected")
        self.changed()
        return link

    def changed(self) -> None:
        """Wakes whoever waits."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def passed(self, way: str, link: Link, data: bytes) -> None:
        """Bytes for the report."""
        self.log.add(self.now, way, link.name, data)

    def arrived(self, link: Link, message: Message) -> None:
        """A message of the device."""
        if message.what is What.HEARTBEAT:
            self._sort_out(message)
        for listener in self.on_message:
            listener(link, message)

    def _sort_out(self, message: Message) -> None:
        """Once a heartbeat has come that calls itself so, other commands are not heartbeats."""
        if not self._beats and is_heartbeat(message):
            self._beats = True
            for _, before in self.messages(What.HEARTBEAT):
                before.what = What.HEARTBEAT if is_heartbeat(before) else What.OTHER
        elif self._beats and not is_heartbeat(message):
            message.what = What.OTHER

    def ended(self, link: Link) -> None:
        """A connection is over. One that brought nothing is forgotten: a device may dial thousands of times."""
        self._open.discard(link)
        if not link.received and link in self.links:
            self.links.remove(link)

    # What happened over the whole run

    def messages(self, what: What) -> list[tuple[Link, Message]]:
        """Every message of a kind, in order."""
        return [(link, message) for link in self.links for message in link.messages if message.what is what]
