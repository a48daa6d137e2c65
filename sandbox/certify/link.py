"""One connection of a device to the examiner's cloud, and everything that can be done to it."""
import asyncio
import contextlib
import socket
import struct
from collections.abc import Sequence
from typing import Protocol

from econduit_terminal.sandbox.certify.inbox import Inbox, Message, What
from econduit_terminal.sandbox.certify.table.answers import ACK, OK, Shape

QUIET, LONG_QUIET = 0.7, 5.0
"""Seconds without a byte after which what waits is taken for a message (the device forgot its end): LONG_QUIET in a
format that has an end of its own. A lost segment comes again after a second and more."""
MAX_BYTES = 16 << 20
"""Bytes that one connection may bring before it is cut as a flood."""
SEGMENT_PAUSE = 0.03
"""Seconds between two segments of one message."""
APART = 0.04
"""Seconds between two messages that are not meant to come as one segment."""


class Owner(Protocol):
    """What a connection needs of the bench."""

    @property
    def now(self) -> float:
        """Seconds since the run began."""

    def changed(self) -> None:
        """Something happened."""

    def passed(self, way: str, link: "Link", data: bytes) -> None:
        """Bytes for the report."""

    def arrived(self, link: "Link", message: Message) -> None:
        """A message of the device."""

    def ended(self, link: "Link") -> None:
        """The connection is over."""


class Link(asyncio.Protocol):
    """A connection. All times are seconds since the run began."""

    def __init__(self, owner: Owner, port: str, number: int) -> None:
        self.owner, self.port, self.number = owner, port, number
        self.opened = owner.now
        self.messages: list[Message] = []
        self.answered: float | None = None
        """When OK-REGISTRATION was sent."""
        self.closed: float | None = None
        self.by_us = False
        self.half_closed = False
        self.last_byte = owner.now
        self.received = 0
        self.ack: Shape | None = Shape.TERMINATED
        """How heartbeats are acknowledged; None: not at all."""
        self.acks: list[float] = []
        self.paused = False
        """Whether it was ever read late: its times say nothing of the device then."""
        self._inbox = Inbox()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing = asyncio.Lock()
        self._sent = -1.0

    # What is known of it

    @property
    def name(self) -> str:
        """For people: "primary 3"."""
        return f"{self.port} {self.number}"

    @property
    def open(self) -> bool:
        """Whether both sides still hold it."""
        return self.closed is None and not self.half_closed

    @property
    def register(self) -> Message | None:
        """Its registration: the first message that is meant as one."""
        return next((message for message in self.messages if message.what is What.REGISTER), None)

    @property
    def unfinished(self) -> int:
        """Bytes of a message that has no end yet."""
        return self._inbox.pending

    def of(self, what: What, since: float = 0.0) -> list[Message]:
        """Its messages of a kind that came after a moment."""
        return [message for message in self.messages if message.what is what and message.began >= since]

    # What may be done to it

    def send(self, data: bytes) -> bool:
        """Sends in one write; False when it is closed."""
        if self._transport is None or self.closed is not None or self._transport.is_closing():
            return False
        self.owner.passed("out", self, data)
        self._sent = self.owner.now
        self._transport.write(data)
        return True

    async def send_pieces(self, pieces: Sequence[bytes], pause: float = SEGMENT_PAUSE, acks: bool = False) -> bool:
        """Sends each piece in a segment of its own, `pause` seconds apart; an acknowledgement waits meanwhile.
        `acks`: this is one, and is not sent when they are not wanted any more."""
        async with self._writing:
            # Not in one segment with what went before: whoever wants that sends it so.
            await asyncio.sleep(max(0.0, self._sent + APART - self.owner.now))
            if acks and self.ack is None:
                return False
            for at, piece in enumerate(pieces):
                if at:
                    await asyncio.sleep(pause)
                if not self.send(piece):
                    return False
        return True

    async def accept(self, shape: Shape = Shape.TERMINATED, with_it: bytes = b"") -> bool:
        """Answers OK-REGISTRATION; `with_it` is sent in the same (last) write."""
        pieces = list(shape.pieces(OK))
        pieces[-1] += with_it
        self.answered = self.owner.now
        self.owner.changed()
        return await self.send_pieces(pieces)

    def fin(self) -> None:
        """Closes it in order."""
        self.by_us = True
        if self._transport is not None:
            self._transport.close()
        self.lost(None)

    def rst(self) -> None:
        """Resets it."""
        self.by_us = True
        if self._transport is not None:
            sock = self._transport.get_extra_info("socket")
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        self.lost(None)

    def half_close(self) -> None:
        """Sends FIN and goes on reading."""
        if self._transport is not None and self._transport.can_write_eof():
            self.half_closed = True
            self._transport.write_eof()
            self.owner.changed()

    def pause_reading(self) -> None:
        """Reads no more: the device's bytes stay in the sockets' buffers."""
        if self._transport is not None and not self._transport.is_closing():
            self.paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Reads again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        sock = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.closed is not None:
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        now = self.owner.now
        self.last_byte = now
        self.received += len(data)
        self.owner.passed("in", self, data)
        if self.received > MAX_BYTES:
            self.rst()
            return
        self._took(self._inbox.receive(data, now))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._inbox.pending:
            quiet = LONG_QUIET if self._inbox.in_format else QUIET
            self._timer = asyncio.get_running_loop().call_later(quiet, self._quiet)
        self.owner.changed()

    def eof_received(self) -> bool:
        """Called by asyncio: the device has closed its side."""
        self._quiet()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self.lost(exc)

    def lost(self, exc: Exception | None) -> None:
        """It is over, by whichever side; only the first time counts."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.closed is None:
            self.closed = self.owner.now
            self.owner.passed("note", self, (b"closed by the examiner" if self.by_us else b"reset by the device"
                                             if exc is not None else b"closed by the device"))
            self.owner.ended(self)
        self.owner.changed()

    def _quiet(self) -> None:
        self._timer = None
        # A large answer that stops in the middle is no message: it is waited for, or it is broken off.
        if self._inbox.pending and self._inbox.pending < 4096 and self.closed is None:
            self._took(self._inbox.quiet(self.owner.now))
            self.owner.changed()

    def _took(self, messages: list[Message]) -> None:
        for message in messages:
            self.messages.append(message)
            self.owner.arrived(self, message)
            wants = (self.register or message).fields.get("AckHeartbeat", "true")
            if message.what is What.HEARTBEAT and self.ack is not None and self.answered is not None \
                    and str(wants).lower() != "false":
                self.acks.append(self.owner.now)
                self._spawn(self.ack)

    def _spawn(self, shape: Shape) -> None:
        async def acknowledge() -> None:
            await self.send_pieces(shape.pieces(ACK), acks=True)
        task = asyncio.get_running_loop().create_task(acknowledge())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
