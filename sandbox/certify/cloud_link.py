"""The examiner as a terminal: one connection to the cloud under test, and what comes over it."""
import asyncio
import contextlib
import json
import re
import socket
import struct
from dataclasses import dataclass

from econduit_terminal.sandbox.certify.inbox import json_object
from econduit_terminal.sandbox.certify.judge import HEARTBEAT
from econduit_terminal.sandbox.certify.table.answers import END, FAILED, INVALID_TYPE, OK
from econduit_terminal.sandbox.certify.wire_log import WireLog

CONNECT = 5.0
"""Seconds that a connection may take to open."""
QUIET = 0.4
"""Seconds without a byte after which what has no end is taken for a message."""
MAX_BYTES = 16 << 20
_ANSWER = re.compile(rb"\s*(OK-REGISTRATION|FAILED-REGISTRATION|FAILED-INVALID-TERMINAL-TYPE)"
                     rb"(?=\s*(\x04|[{\[<\x02]|$))")


@dataclass(frozen=True, slots=True)
class Terminal:
    """Who the examiner says it is."""

    type: str
    id: str
    ack: bool = True

    def register(self, **changes: str | None) -> bytes:
        """A registration, without its end; `changes` replace fields (or leave them out: None)."""
        fields: dict[str, str | None] = {
            "Command": "Register", "TerminalType": self.type, "TerminalModel": "Model1", "TerminalID": self.id,
            "SoftwareVersion": "econduit-certify v1", "AckHeartbeat": "true" if self.ack else "false", **changes}
        return json.dumps({name: value for name, value in fields.items() if value is not None},
                          separators=(",", ":")).encode()


@dataclass(slots=True)
class Incoming:
    """A message of the cloud; `end` is what came behind it (EOT, white space)."""

    body: bytes
    t: float
    end: bytes = b""

    @property
    def answer(self) -> bytes | None:
        """The registration answer that it is, or None."""
        stripped = self.body.strip()
        return stripped if stripped in (OK, FAILED, INVALID_TYPE) else None

    @property
    def ack(self) -> bool:
        """Whether it is an acknowledgement."""
        return json_object(self.body) == {"Status": "OK"}


class Wire(asyncio.Protocol):
    """One connection. `until` of the subject waits for what it collects."""

    def __init__(self, subject: "Line", name: str) -> None:
        self.name = name
        self.messages: list[Incoming] = []
        self.closed: float | None = None
        self.by_us = False
        self.received = 0
        self._subject = subject
        self._bytes = bytearray()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def open(self) -> bool:
        """Neither side has ended it."""
        return self.closed is None

    def send(self, data: bytes) -> bool:
        """One write; False when it is closed."""
        if self._transport is None or self.closed is not None:
            return False
        self._subject.log.add(self._subject.now, "out", self.name, data)
        self._transport.write(data)
        return True

    async def send_pieces(self, data: bytes, size: int = 1, pause: float = 0.003) -> None:
        """In segments of `size` bytes."""
        for at in range(0, len(data), size):
            if at:
                await asyncio.sleep(pause)
            self.send(data[at:at + size])

    def beat(self) -> bool:
        """A heartbeat."""
        return self.send(HEARTBEAT + END)

    def close(self) -> None:
        """FIN."""
        self.by_us = True
        if self._transport is not None:
            self._transport.close()
        self.connection_lost(None)

    def reset(self) -> None:
        """RST."""
        self.by_us = True
        if self._transport is not None:
            with contextlib.suppress(OSError):
                self._transport.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        self.connection_lost(None)

    def since(self, t: float) -> list[Incoming]:
        """What came after a moment."""
        return [message for message in self.messages if message.t >= t]

    def requests(self, since: float = 0.0) -> list[Incoming]:
        """The transactions among that."""
        return [message for message in self.since(since) if not message.ack and message.answer is None]

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._subject.log.add(self._subject.now, "in", self.name, data)
        self.received += len(data)
        if self.received > MAX_BYTES:
            self.reset()
            return
        self._bytes += data
        self._cut(False)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._bytes:
            self._timer = asyncio.get_running_loop().call_later(QUIET, self._cut, True)
        self._subject.changed()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio, and by whoever closes it."""
        if self.closed is None:
            self._cut(True)
            self.closed = self._subject.now
            words = "closed by the examiner" if self.by_us else "reset by the cloud" if exc else "closed by the cloud"
            self._subject.log.add(self.closed, "note", self.name, words.encode())
        self._subject.changed()

    def _cut(self, quiet: bool) -> None:
        """Messages out of the buffer: ended by EOT EOT, by being an answer or a whole JSON object, or by silence."""
        while True:
            rest = self._bytes.lstrip(b"\x04\r\n\t ")
            blank = bytes(self._bytes[:len(self._bytes) - len(rest)])
            if blank and self.messages:
                self.messages[-1].end = (self.messages[-1].end + blank)[:64]
            self._bytes = rest
            if not rest:
                return
            size = self._size()
            if size is None and quiet:
                size = len(rest)
            if size is None:
                return
            self.messages.append(Incoming(bytes(rest[:size]), self._subject.now))
            del rest[:size]
            self._subject.changed()

    def _size(self) -> int | None:
        if match := _ANSWER.match(self._bytes):
            return match.end(1)
        if self._bytes[:1] == b"{" and len(self._bytes) < 65536:
            with contextlib.suppress(ValueError):
                text = self._bytes.decode("utf-8")
                return len(text[:json.JSONDecoder().raw_decode(text)[1]].encode())
        end = self._bytes.find(END)
        return end if end >= 0 else None


class Line:
    """What a Wire needs: the time, the log, and who is told of changes."""

    log: WireLog
    now: float

    def changed(self) -> None:
        """Something came."""
