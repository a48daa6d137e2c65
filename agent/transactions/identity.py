"""PURE. Which request is the same as another, and which belongs to the same RefID.

| two requests with one RefID are the same | when                                                                     |
|------------------------------------------|--------------------------------------------------------------------------|
| both are JSON                            | their values are: spacing, order of keys and escapes do not count;       |
|                                          | numbers count by their text (2.5 is not 2.50)                            |
| otherwise                                | their bytes are, but for white space, EOT and byte order marks around    |

JSON that leaves room for doubt goes by its bytes: a key that occurs twice in one object, NaN and Infinity, bytes that
are not UTF-8; and so does what would take long: more than `MAX_DEPTH` brackets inside one another, `MAX_VALUES` values.

1.0.0 knew bytes alone, and left out less around them: `earlier` has its digests, for what its journal holds.
"""
import hashlib
import itertools
import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..wire.formats import SPACE, bare
from .pan import mask_label

MAX_DEPTH = 64
MAX_VALUES = 50_000
MASKED = 256
"""Characters of a RefID that are searched for a card number."""
_NUMBER = "\udbff"
"""Precedes a number's text, so that 2.50 is no "2.50"; no text that goes by its value can hold it."""
_LONE = re.compile(r"\\u[dD][bB][fF][fF](?!\\u[dD][c-fC-F])")
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*\\?(?:"|\Z)', re.DOTALL)      # one ends at the end, too
_NO_BRACKET = re.compile(r"[^\[\]{}]+")
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


class Command(Enum):
    """The commands that are looked at when a request comes again; `value`: the word for people."""
    SALE = "Sale"
    AUTH = "Auth"
    VOID = "Void"
    TIP_ADJUST = "TipAdjust"
    OTHER = ""

    @classmethod
    def of(cls, text: str | None) -> "Command":
        """In any case and with any separators: `TipAdjust`, `tip_adjust`, `TIP ADJUST`."""
        return _COMMANDS.get("".join(filter(str.isalnum, (text or "")[:64])).lower(), cls.OTHER)


_COMMANDS = {command.value.lower(): command for command in Command if command.value}


@dataclass(frozen=True)
class Identity:
    """digest: what makes it this request. ref: of its RefID, which follow-ups share. earlier: see above."""
    digest: bytes
    ref: bytes
    command: Command
    earlier: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, body: bytes, ref_id: str | None, command: str | None) -> "Identity | None":
        """None without a RefID: such a request equals no other."""
        if not ref_id:
            return None
        inside = bare(body)
        value, by_bytes = canonical(inside), _sha256(inside)
        digest = by_bytes if value is None else _sha256(b"\0JSON\0" + value)
        earlier = {by_bytes, _sha256(body.strip(SPACE))} - {digest}
        return cls(digest, ref_key(ref_id), Command.of(command), tuple(sorted(earlier)))


def ref_key(ref_id: str) -> bytes:
    """What follow-ups of one RefID share. A card number in it leaves no hash that could be tried out.

    A time stamp may look like a card number: two bytes of the whole one's hash keep two with the same ending apart, and
    are too few to find a number by.
    """
    shown = mask_label(ref_id[:MASKED]) + ref_id[MASKED:]
    data = shown.encode("utf-8", "surrogatepass")
    if shown != ref_id:
        data += _sha256(ref_id.encode("utf-8", "surrogatepass"))[:2]
    return _sha256(data)[:16]


def canonical(payload: bytes) -> bytes | None:
    """The JSON value in `payload` in its canonical form; None for what goes by its bytes. Never raises."""
    try:
        text = payload.decode(json.detect_encoding(payload))
        if _LONE.search(text) or text.count(",") > MAX_VALUES or _depth(text) > MAX_DEPTH:
            return None
        value = json.loads(text, strict=False, parse_int=_number, parse_float=_number, parse_constant=_none,
                           object_pairs_hook=_object)
    except (ValueError, RecursionError):        # UnicodeDecodeError is a ValueError
        return None
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _number(text: str) -> str:
    return _NUMBER + text


def _none(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _depth(text: str) -> int:
    """The most brackets inside one another, or fewer than `MAX_DEPTH` where there are no more at all."""
    brackets = text.count("[") + text.count("{")
    if brackets <= MAX_DEPTH:
        return brackets
    bare = _NO_BRACKET.sub("", _STRING.sub("", text))
    return max(itertools.accumulate(map(_STEPS.__getitem__, bare)), default=0)


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
