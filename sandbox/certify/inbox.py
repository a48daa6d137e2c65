"""A terminal's bytes cut into messages, leniently, with what came around each. PURE.

The examiner must read on where the terminal breaks the rules, so that one fault does not hide the others. A message
ends by the first of: EOT EOT; its own format's end (JSON, XML, STX … ETX LRC); silence, which the caller announces.
What came before it (`lead`) and behind it (`tail`: EOT, white space, the NUL of a text in C) is kept and judged
elsewhere. Behind a whole end, EOT EOT in one segment with the next message, and what comes `BEHIND` later, leads that
one. Each byte is looked at a bounded number of times. Nothing is shared with the product's framing: one bug cannot hide
on both sides.
"""
import json
import re
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from operator import xor
from typing import Any

END = b"\x04\x04"
BLANK = b"\x04 \r\n\t\0"
STX, ETX = 0x02, 0x03
MAX_TAIL = 64
BEHIND = 0.1
"""Seconds after the last byte of a message's end in which what comes still belongs to it."""
_JSON = re.compile(rb'\\.|["{}\[\]]', re.DOTALL)
_ROOT = re.compile(rb"<([A-Za-z_][^\s/>]*)")


class What(Enum):
    """What a message of a terminal is meant to be."""

    REGISTER = "Register"
    HEARTBEAT = "heartbeat"
    RESPONSE = "response"
    OTHER = "something else"


@dataclass(slots=True)
class Message:
    """One message. `began` and `ended`: when its first and last byte came, seconds."""

    what: What
    lead: bytes
    body: bytes
    tail: bytes
    began: float
    ended: float

    @property
    def fields(self) -> dict[str, Any]:
        """The object in it when it is JSON, else empty."""
        return json_object(self.body)


class Inbox:
    """Feed it what arrives; it hands back messages. The tail of the last one may still grow."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._messages: list[Message] = []
        self._lead = b""
        self._began = self._now = self._ended = 0.0
        self._fresh = False
        """Whether the segment at hand has ended a message."""
        self._reset()

    @property
    def pending(self) -> int:
        """How many bytes wait for their message's end."""
        return len(self._bytes)

    @property
    def in_format(self) -> bool:
        """Whether what waits has a format that says where it ends: a pause is a pause of the line's then."""
        return bytes(self._bytes[:1]) in (b"{", b"[", b"<", b"\x02")

    @property
    def part(self) -> bytes:
        """The beginning of what waits."""
        return bytes(self._bytes[:256])

    def receive(self, data: bytes, now: float) -> list[Message]:
        """The messages that `data` completes."""
        if not self._bytes:
            self._began = now
        self._now, self._fresh = now, False
        self._bytes += data
        found = []
        while self._strip() and (size := self._size()) is not None:
            found.append(self._take(size, now))
        return found

    def quiet(self, now: float) -> list[Message]:
        """What waits, as one message: nothing more comes."""
        return [self._take(len(self._bytes), now)] if self._bytes else []

    def _strip(self) -> bool:
        """Blank bytes at the start go to the last message's tail, or before the next; whether others are left."""
        if self._looked:
            return True
        rest = self._bytes.lstrip(BLANK)
        blank = bytes(self._bytes[:len(self._bytes) - len(rest)])
        if blank:
            last = self._messages[-1] if self._messages else None
            late = self._now >= self._ended + BEHIND or bool(rest and blank.startswith(END))
            if last is not None and (last.tail != END or self._fresh or not late):
                last.tail, self._ended = (last.tail + blank)[:MAX_TAIL], self._now
            else:
                self._lead = (self._lead + blank)[:MAX_TAIL]
            self._bytes = rest
        return bool(self._bytes)

    def _take(self, size: int, now: float) -> Message:
        body = bytes(self._bytes[:size])
        del self._bytes[:size]
        what = kind_of(body, not self._messages)
        message = Message(what, self._lead, body, b"", self._began, now)
        self._lead, self._began = b"", now
        self._messages.append(message)
        self._fresh, self._ended = True, now
        self._reset()
        return message

    def _reset(self) -> None:
        self._looked = self._depth = 0
        self._quoted = False
        self._etx, self._eot, self._xml = 1, 0, 0

    def _size(self) -> int | None:
        eot = self._bytes.find(END, max(0, self._eot - 1))
        self._eot = len(self._bytes)
        own = self._own_end()
        self._looked = max(self._looked, 1)
        if own is not None and (eot < 0 or own <= eot + 1):
            return own
        return eot if eot >= 0 else None

    def _own_end(self) -> int | None:
        first = self._bytes[0]
        if first in b"{[":
            return self._json_end()
        if first == STX:
            return self._stx_end()
        return self._xml_end() if first == ord("<") else None

    def _json_end(self) -> int | None:
        at = self._looked
        for token in _JSON.finditer(self._bytes, self._looked):
            at = token.end()
            if token[0] == b'"':
                self._quoted = not self._quoted
            elif not self._quoted and token[0] in b"{}[]":
                self._depth += 1 if token[0] in b"{[" else -1
                if self._depth == 0:
                    return at
        # A backslash at the very end waits for what it escapes.
        half = len(self._bytes) - len(self._bytes.rstrip(b"\\")) & 1 and at < len(self._bytes)
        self._looked = len(self._bytes) - (1 if half else 0)
        return None

    def _stx_end(self) -> int | None:
        while (at := self._bytes.find(ETX, self._etx)) >= 0 and at + 1 < len(self._bytes):
            if reduce(xor, self._bytes[1:at + 1], 0) == self._bytes[at + 1]:
                return at + 2
            self._etx = at + 1
        return None

    def _xml_end(self) -> int | None:
        """By depth of elements with the root's name; a tag that is cut waits for its rest."""
        root = _ROOT.search(self._bytes, 0, 4096)
        if root is None:
            return None
        tag = re.compile(rb"<(/?)" + re.escape(root[1]) + rb"(?=[\s/>])[^>]*?(/?)>")
        for found in tag.finditer(self._bytes, self._xml):
            self._xml = found.end()
            self._depth += -1 if found[1] else 0 if found[2] else 1
            if self._depth == 0:
                return found.end()
        return None


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object that `body` is, or an empty one."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def is_heartbeat(message: Message) -> bool:
    """Whether it calls itself one: any small command without an answer's fields is taken for one at first."""
    return b"heartbeat" in message.body.lower()


def kind_of(body: bytes, first: bool) -> What:
    """What a message is meant to be: by its words, so that a fault in it does not make it something else."""
    if len(body) > 4096:
        return What.RESPONSE
    command = next((value for name, value in json_object(body).items() if name.lower() == "command"), None)
    lower = body.lower()
    if (isinstance(command, str) and "heartbeat" in command.lower()) or (len(body) < 200 and b"heartbeat" in lower \
            and b"ackheartbeat" not in lower and b"refid" not in lower):
        return What.HEARTBEAT
    if isinstance(command, str) and "register" in command.lower() and b"refid" not in lower:
        return What.REGISTER
    answers = re.search(rb"refid|authcode|resultcode|requestsha|approved|t01", lower)
    registers = b"register" in lower
    if (first and (registers or not answers)) or (registers and b"terminalid" in lower and b"refid" not in lower):
        return What.REGISTER
    small = len(body) < 200 and not answers
    return What.HEARTBEAT if small and isinstance(command, str) else What.RESPONSE
