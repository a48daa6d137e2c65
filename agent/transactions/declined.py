"""PURE. Does an answer say that the transaction was declined? The journal asks this, for a Void alone.

A Void that was handed over counts as done unless its answer clearly says otherwise: in doubt, nobody is shown an
approval of what was voided. "Clearly" is

| format     | what is read                                                                                        |
|------------|-----------------------------------------------------------------------------------------------------|
| JSON, XML  | fields by their names, any case, at any depth: the codes (ResultCode, ResponseCode, Result, …);     |
|            | where these say neither, the texts (Message, RespMSG, …); and then the states (Status)              |
| all others | each field between control characters (STX, FS, line ends), or the whole text                       |

and there at least one word such as declined, denied, rejected, refused, not approved, and none such as approved,
accepted, success, OK, or a code of zeros. Failed, error and time-out are no decline: the Void may have happened.
"""
import re
from typing import Any

from ..wire import lenient

_MAX_FIELDS = 1000
_CODES = ("resultcode", "responsecode", "respcode", "result", "response", "approvalstatus")
_TEXTS = ("message", "respmsg", "responsemessage", "responsetext", "resultmessage", "resulttext", "hostmessage", "text")
_STATES = ("status", "state", "transactionstatus")
_NO = re.compile(r"\b(?:declin\w*|denied|rejected|refused|disapproved|(?:not|un)[ _-]?(?:approved|authori[sz]ed)"
                 r"|do not hono[u]?r)\b", re.IGNORECASE)
_YES = re.compile(r"\b(?:approv\w*|accepted|success\w*|complete\w*|voided|ok)\b|^0+$", re.IGNORECASE)
_XML = re.compile(r"<(?:[\w.-]{1,64}:)?([\w.-]{1,64})(?:\s[^<>]{0,500})?>([^<]{0,500})</"
                  r"|\s([\w.-]{1,64})\s?=\s?[\"']([^\"'<]{0,500})")
_CONTROL = re.compile(r"[\x00-\x1f]+")


def declined(answer: bytes) -> bool:
    """Never raises."""
    text = answer.decode("utf-8", "replace").strip("\ufeff \t\r\n\x04")
    if text.startswith("<"):
        plain = text.replace("<![CDATA[", "").replace("]]>", "")
        pairs = [(found[1] or found[3], (found[2] or found[4] or "").strip()) for found in _XML.finditer(plain)]
    else:
        value = lenient.parse(answer)
        if not isinstance(value, (dict, list)):
            return _says_no([part for part in _CONTROL.split(text) if not part.isdigit()])
        pairs = _pairs(value)
    for names in (_CODES, _TEXTS, _STATES):
        said = [value for name, value in pairs if re.sub(r"[\W_]", "", name).lower() in names]
        if any(_NO.search(value) or _YES.search(value) for value in said):
            return _says_no(said)
    return False


def _says_no(values: list[str]) -> bool:
    return any(map(_NO.search, values)) and not any(_YES.search(_NO.sub("", value)) for value in values)


def _pairs(value: Any) -> list[tuple[str, str]]:
    """The texts in a JSON value with the names they have."""
    found: list[tuple[str, str]] = []
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting and len(found) < _MAX_FIELDS:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, each) for each in value[:_MAX_FIELDS]]
        elif isinstance(value, str):
            found.append((name, value.strip()[:500]))
    return found
