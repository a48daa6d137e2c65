"""PURE. The answer that the terminal gives in the payment application's place, from the integrator's template.

`{reason}`, `{RefID}`, `{Command}` and `{TerminalID}` are replaced, never inside one another's values; every other brace
is the template's own. Values come from outside, so they are escaped for the format that the template's first character
shows: XML for `<`, else JSON string escapes, which are harmless in plain text too. No value can hold an EOT, or end the
field it is in.
"""
import html
import json
import re

_PLACEHOLDER = re.compile(r"\{(reason|RefID|Command|TerminalID)\}")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def failure_answer(template: str, *, reason: str, RefID: str | None = None, Command: str | None = None,
                   TerminalID: str | None = None) -> bytes:
    """The failure answer, UTF-8, without EOT. A value that is None becomes empty text. Never raises."""
    values = {"reason": reason, "RefID": RefID, "Command": Command, "TerminalID": TerminalID}
    escaped = _xml if template.lstrip().startswith("<") else _json
    text = _PLACEHOLDER.sub(lambda found: escaped(values[found[1]] or ""), template)
    return text.encode("utf-8", "replace")


def _json(value: str) -> str:
    return json.dumps(value)[1:-1]


def _xml(value: str) -> str:
    # Not xml.sax.saxutils: it brings urllib.request with it, 25 ms of every start.
    return html.escape(_NOT_IN_XML.sub("", value)).replace("&#x27;", "&apos;")
