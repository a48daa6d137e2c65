"""PURE. The two names that are looked up in a transaction, RefID and Command; all else of it is opaque.

| format        | RefID                                                    | Command                                  |
|---------------|----------------------------------------------------------|------------------------------------------|
| JSON object   | the first key of this name, any case, at the top level   | likewise                                 |
| XML           | the first element of this name, any case, any prefix,    | likewise, or TransType: the first of the |
|               | below the root, or the first attribute                   | two                                      |
| STX … ETX LRC | the field `ref_id_field`, counted from 1; FS (0x1C)      | not looked up                            |
|               | separates two fields                                     |                                          |

An empty value is none, and white space around a command does not count. XML is read as leniently as its end is looked
for (`wire.xml`): what is not well-formed, or of another encoding that extends ASCII, has its names all the same;
entities that a DOCTYPE defines stay as they are.
"""
import html
import re
from contextlib import suppress
from dataclasses import dataclass

from . import lenient
from .formats import ETX, STX, Malformed, bare
from .xml import XmlScanner

_FS = b"\x1c"
_JSON = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*\\?(?:"|\Z)|[{}\[\]]', re.DOTALL)      # a string ends at the end, too
_XML_NAMES = {"refid": "RefID", "command": "Command", "transtype": "Command"}
_ATTRIBUTE = re.compile(rb"([^\x00-\x20<>/=\"'!?&]+)[ \t\r\n]*=[ \t\r\n]*(?:\"([^\"]*)\"|'([^']*)')")
_MARKUP = re.compile(rb"<!\[CDATA\[(.*?)\]\]>|<!--.*?-->|<\?.*?\?>"
                     rb"|<[^>\"']*(?:(?:\"[^\"]*\"|'[^']*')[^>\"']*)*>", re.DOTALL)
_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}


@dataclass(frozen=True)
class Peek:
    """RefID and Command of a transaction, each None where the request does not say."""
    ref_id: str | None = None
    command: str | None = None


def peek(request: bytes, ref_id_field: int | None = None) -> Peek:
    """Look up RefID and Command. ref_id_field: where an STX message has its RefID; None: not known. Never raises."""
    document = bare(request)
    if document.startswith(b"<") and document[1:2] != b"\x00":
        return _XmlLookup(document).peek()
    if document[:1] == bytes((STX,)):
        return _peek_stx(document, ref_id_field)
    if (encoding := _UTF_16.get(document[:2])) and document[:4].strip(b"\xff\xfe\x00")[:1] == b"<":
        return _XmlLookup(document.decode(encoding, "replace").lstrip("\ufeff").encode("utf-8", "replace")).peek()
    return _peek_json(document)


def _peek_json(request: bytes) -> Peek:
    fields = lenient.parse(request)
    if fields is None and request.startswith(b"{"):
        fields = lenient.parse(_shallow(request))       # nested deeper than the parser goes, perhaps
    if not isinstance(fields, dict):
        return Peek()
    found: dict[str, str] = {}
    for name, value in fields.items():
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
            found.setdefault(name.lower(), str(value))      # an empty value is none, and hides no other spelling
    return Peek(found.get("refid"), found.get("command", "").strip() or None)


def _shallow(document: bytes) -> bytes:
    """A JSON object with 0 in place of every value that is an object or an array."""
    kept, depth, begin = [], 0, 0
    for found in _JSON.finditer(document):
        if found[0] in b"{[":
            depth += 1
            if depth == 2:
                kept.append(document[begin:found.start()])
        elif found[0] in b"}]":
            depth -= 1
            if depth == 1:
                kept.append(b"0")
                begin = found.end()
    return b"".join(kept) + document[begin:] if depth == 0 else b""


def _peek_stx(request: bytes, ref_id_field: int | None) -> Peek:
    fields = request[1:].partition(bytes((ETX,)))[0].split(_FS)
    if ref_id_field is None or ref_id_field > len(fields):
        return Peek()
    return Peek(_text(fields[ref_id_field - 1]).strip() or None)


class _XmlLookup(XmlScanner):
    """Reads a document from tag to tag, until both names are found, or after the last place where one may be."""

    def __init__(self, document: bytes):
        super().__init__(0)
        lower = document.lower()
        self._last = max(lower.rfind(name.encode()) for name in _XML_NAMES)
        self._document = bytearray(document if self._last >= 0 else b"")
        self._found: dict[str, str] = {}
        self._element: tuple[int, int] | None = None    # depth and begin of the one that is being read

    def peek(self) -> Peek:
        with suppress(Malformed):       # its beginning may have the names
            self.scan(self._document, len(self._document))
        return Peek(self._found.get("RefID"), self._found.get("Command"))

    def _opened(self, name: bytes, and_closed: bool) -> None:
        for attribute in _ATTRIBUTE.finditer(self._document, self._tag_at + 1 + len(name), self._at):
            self._keep(attribute[1], _unescaped(attribute[2] or attribute[3] or b""))
        super()._opened(name, and_closed)
        if not and_closed and self._element is None and len(self._open) > 1 and _known(name):
            self._element = len(self._open), self._at
        self._end_after_the_last()

    def _closed(self, name: bytes) -> None:
        ends = self._element is not None and self._element[0] == len(self._open)
        super()._closed(name)
        if ends and self._element:
            self._keep(name, _content(bytes(self._document[self._element[1]:self._tag_at])))
            self._element = None
        self._end_after_the_last()

    def _end_after_the_last(self) -> None:
        if self._at > self._last and self._element is None:
            self._complete = True

    def _keep(self, name: bytes, value: str) -> None:
        known, value = _known(name), value.strip()
        if known and value:
            self._found.setdefault(known, value)
            self._complete = len(self._found) == 2


def _known(name: bytes) -> str | None:
    return _XML_NAMES.get(name.rpartition(b":")[2].decode("latin-1").lower())


def _content(raw: bytes) -> str:
    """The text of an element: CDATA as it is, entities resolved, all other markup left out."""
    parts, at = [], 0
    for markup in _MARKUP.finditer(raw):
        parts += [_unescaped(raw[at:markup.start()]), _text(markup[1] or b"")]
        at = markup.end()
    return "".join(parts) + _unescaped(raw[at:])


def _unescaped(raw: bytes) -> str:
    text = _text(raw)
    try:
        return html.unescape(text)
    except ValueError:      # &#1111… with more digits than Python makes a number of
        return text


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
