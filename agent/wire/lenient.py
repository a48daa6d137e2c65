"""PURE. JSON as payment applications and points of sale write it, which is not always JSON."""
import json
import re
from typing import Any

_BOM = re.compile(rb"[ \t\r\n]*\xef\xbb\xbf(?:[ \t\r\n]+|\xef\xbb\xbf)*")


def parse(payload: bytes | bytearray) -> Any:
    """The value in `payload`, numbers as text; None for what is not JSON, and for `null`. Never raises.

    Text of another encoding that extends ASCII, a tab or a line's end in a string, and a byte order mark in front are
    accepted: where a message ends and which RefID it has does not depend on them. A number of a million digits is not
    our business.
    """
    try:
        return _load(payload)
    except (ValueError, RecursionError):
        return None


def is_json(payload: bytes | bytearray) -> bool:
    """Is it JSON, `null` too? What is nested deeper than the parser goes is taken for it. Never raises."""
    try:
        _load(payload)
    except ValueError:
        return False
    except RecursionError:
        return True
    return True


def _load(payload: bytes | bytearray) -> Any:
    if bom := _BOM.match(payload):
        payload = payload[bom.end():]
    try:
        return _value(payload)
    except UnicodeDecodeError:
        return _value(payload.decode("latin-1"))


def _value(text: bytes | bytearray | str) -> Any:
    return json.loads(text, strict=False, parse_int=str, parse_float=str)
