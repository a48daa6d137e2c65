"""PURE. JSON as payment applications and points of sale write it, which is not always JSON."""
import json


def parse(payload: bytes | bytearray):
    """The value in `payload`, numbers as text; None for what is no JSON, and for `null`. Never raises.

    Text of another encoding that extends ASCII, and a tab or a line's end in a string, are accepted: where a message
    ends and which RefID it has does not depend on them. A number of a million digits is not our business.
    """
    try:
        try:
            return _load(payload)
        except UnicodeDecodeError:
            return _load(payload.decode("latin-1"))
    except (ValueError, RecursionError):
        return None


def _load(text):
    return json.loads(text, strict=False, parse_int=str, parse_float=str)
