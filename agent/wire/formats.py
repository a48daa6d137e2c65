"""PURE. Where a JSON value, an XML document and an STX … ETX LRC message end, read piece by piece.

| class   | begins with | complete at                                  | Malformed                                  |
|---------|-------------|----------------------------------------------|--------------------------------------------|
| JsonEnd | `{` or `[`  | the bracket that closes the first one        | a bracket that closes none or another kind;|
|         |             |                                              | what is no JSON at its end                 |
| XmlEnd  | `<`         | the `>` of the root's closing tag, or of a   | a closing tag of another name; what is no  |
|         |             | root that closes itself                      | markup                                     |
| StxEnd  | STX (0x02)  | the byte behind the first ETX (0x03), if it  | that byte is another                       |
|         |             | is the XOR of all bytes between STX and ETX, |                                            |
|         |             | ETX included; it may be 0x04                 |                                            |

Rules

- A scanner looks at each byte once, however small the pieces: `scan` goes on where it stopped. Only the last few bytes,
  which may be the beginning of `-->` or of a longer sign, are looked at twice; and a JSON value once more as a whole.
- `scan(buffer, limit)` reads no byte at or behind `limit` but the LRC: what stands there may end the message by another
  rule. The payload begins at `buffer[0]`, its format at the index that the scanner was made with.
- Malformed is no error of the wire: the payload is of none of these formats, and ends as such.
- XML is read as bytes of an encoding that extends ASCII. Names are compared; strings, comments, CDATA sections,
  processing instructions and the DOCTYPE with its internal subset are known for what they are; entities, characters and
  attributes are not checked: this looks for the end of a document, not for its mistakes.
"""
import re
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from . import lenient

EOT = 0x04
EOT2 = b"\x04\x04"
STX = 0x02
ETX = 0x03
BOM = b"\xef\xbb\xbf"
SPACE = b" \t\r\n"
_AROUND = SPACE + b"\x04"


def bare(payload: bytes) -> bytes:
    """A payload without white space and EOT around it and byte order marks in front."""
    while (stripped := payload.strip(_AROUND).removeprefix(BOM)) != payload:
        payload = stripped
    return payload


class Malformed(Exception):
    """The payload is not of this format. The bytes before `kept` certainly belong to it, an EOT among them too."""

    def __init__(self, kept: int = 0):
        super().__init__(kept)
        self.kept = kept


class Scanner(Protocol):
    def scan(self, buffer: bytearray, limit: int) -> int | None:
        """The index behind the payload's last byte; None while that is not here yet. Raises Malformed."""


# -- JSON --------------------------------------------------------------------------------------------------------------

_OUTSIDE_STRING = re.compile(rb'["{}\[\]]')
_INSIDE_STRING = re.compile(rb'["\\]')
_OPENING_OF = {ord("}"): ord("{"), ord("]"): ord("[")}


class JsonEnd:
    def __init__(self, begin: int):
        self._at = begin
        self._open = bytearray()        # the brackets that are open
        self._in_string = False

    def scan(self, buffer: bytearray, limit: int) -> int | None:
        while True:
            found = (_INSIDE_STRING if self._in_string else _OUTSIDE_STRING).search(buffer, self._at, limit)
            if found is None:
                self._at = max(self._at, limit)
                return None
            at = found.start()
            byte = buffer[at]
            self._at = at + 1
            if byte == ord("\\"):
                if at + 1 >= limit:
                    self._at = at
                    return None
                self._at = at + 2
            elif byte == ord('"'):
                self._in_string = not self._in_string
            elif byte in b"{[":
                self._open.append(byte)
            elif self._open.pop() != _OPENING_OF[byte]:
                raise Malformed
            elif not self._open:
                if not lenient.is_json(buffer[:self._at]):
                    raise Malformed
                return self._at


# -- XML ---------------------------------------------------------------------------------------------------------------

class _Xml(Enum):
    CONTENT = auto()            # between markup
    OPENING = auto()            # at a <
    UNTIL = auto()              # in a comment, a CDATA section or a processing instruction
    QUOTED = auto()             # in a string
    DOCTYPE = auto()            # behind <!DOCTYPE
    SUBSET = auto()             # in its [ … ]
    SUBSET_OPENING = auto()     # at a < in there
    DECLARATION = auto()        # in a <!ENTITY … > and the like
    START_NAME = auto()         # in the name of a start tag
    TAG = auto()                # behind it, or behind an attribute
    ATTRIBUTE = auto()          # in the name of an attribute
    EQUALS = auto()             # between that and its =
    VALUE = auto()              # between = and the string
    SLASH = auto()              # behind the / of <name/>
    END_NAME = auto()           # in the name of a closing tag
    END_TAG = auto()            # behind it


_SPACES = re.compile(rb"[ \t\r\n]*")
_NAME = re.compile(rb"[^\x00-\x20<>/=\"'!?&]*")
_NAME_BEGINS = re.compile(rb"[A-Za-z_:\x80-\xff]")
_IN_DOCTYPE = re.compile(rb"[\"'\[>]")
_IN_SUBSET = re.compile(rb"[\]<]")
_IN_DECLARATION = re.compile(rb"[\"'>]")
_START_TAG = re.compile(rb"<([A-Za-z_:\x80-\xff][^\x00-\x20<>/=\"'!?&]*)"
                        rb"(?:[ \t\r\n]+[^\x00-\x20<>/=\"'!?&]+[ \t\r\n]*=[ \t\r\n]*(?:\"[^\"]*\"|'[^']*'))*"
                        rb"[ \t\r\n]*(/?)>")
_END_TAG = re.compile(rb"</([^\x00-\x20<>/=\"'!?&]+)[ \t\r\n]*>")
_DECLARATION = re.compile(rb"<\?xml[ \t\r\n]")
_COMMENT, _CDATA, _INSTRUCTION, _DOCTYPE = b"<!--", b"<![CDATA[", b"<?", b"<!DOCTYPE"
_CLOSED_BY = {_COMMENT: b"-->", _CDATA: b"]]>", _INSTRUCTION: b"?>"}


class XmlEnd:
    def __init__(self, begin: int):
        self._at = begin
        self._state = _Xml.CONTENT
        self._back = _Xml.CONTENT           # where UNTIL and QUOTED lead to
        self._until = b""                   # what ends them
        self._tag_at = begin                # where the last < is
        self._name = bytearray()            # the name that is being read
        self._open: list[bytes] = []        # the names of the open elements
        self._names: dict[bytes, bytes] = {}    # each once: a deep document has few
        self._doctype = False
        self._step: dict[_Xml, Callable[[bytearray, int], bool]] = {
            _Xml.CONTENT: self._content, _Xml.OPENING: self._opening, _Xml.UNTIL: self._until_closed,
            _Xml.QUOTED: self._until_closed, _Xml.DOCTYPE: self._in_doctype, _Xml.SUBSET: self._in_subset,
            _Xml.SUBSET_OPENING: self._subset_opening, _Xml.DECLARATION: self._in_declaration,
            _Xml.START_NAME: self._start_name, _Xml.TAG: self._tag, _Xml.ATTRIBUTE: self._attribute,
            _Xml.EQUALS: self._equals, _Xml.VALUE: self._value, _Xml.SLASH: self._slash,
            _Xml.END_NAME: self._end_name, _Xml.END_TAG: self._end_tag}
        self._complete = False
        self._blank = True

    @property
    def blank(self) -> bool:
        """Nothing is here but comments and processing instructions, whole ones, which are no message."""
        return self._blank and self._state is _Xml.CONTENT

    def scan(self, buffer: bytearray, limit: int) -> int | None:
        while self._step[self._state](buffer, limit):
            if self._complete:
                return self._at
        return None

    # Each step reads on in its state. True: it came to its end; False: the bytes did.

    def _content(self, buffer: bytearray, limit: int) -> bool:
        if self._open:
            at = buffer.find(b"<", self._at, limit)
            self._at = at if at >= 0 else max(self._at, limit)
        elif self._skip_space(buffer, limit) and buffer[self._at] != ord("<"):
            raise Malformed
        return self._at < limit and self._enter(_Xml.OPENING, 0)

    def _opening(self, buffer: bytearray, limit: int) -> bool:
        self._tag_at = self._at
        if found := _START_TAG.match(buffer, self._at, limit):
            self._at = found.end()
            self._opened(found[1], bool(found[2]))
            return True
        if found := _END_TAG.match(buffer, self._at, limit):
            self._at = found.end()
            self._closed(found[1])
            return True
        head = bytes(buffer[self._at:min(limit, self._at + len(_CDATA))])
        for sign in (_COMMENT, _CDATA, _INSTRUCTION, _DOCTYPE):
            if head.startswith(sign):
                return self._special(sign)
            if sign.startswith(head):
                return False
        if head.startswith(b"</"):
            return self._enter(_Xml.END_NAME, 2)
        if not _NAME_BEGINS.match(head, 1):
            raise Malformed
        self._blank = False
        return self._enter(_Xml.START_NAME, 1)

    def _special(self, sign: bytes) -> bool:
        if sign == _DOCTYPE:
            if self._open or self._doctype:
                raise Malformed
            self._doctype, self._blank = True, False
            return self._enter(_Xml.DOCTYPE, len(sign))
        if sign == _CDATA and not self._open:
            raise Malformed
        self._back, self._until = _Xml.CONTENT, _CLOSED_BY[sign]
        return self._enter(_Xml.UNTIL, len(sign))

    def _until_closed(self, buffer: bytearray, limit: int) -> bool:
        at = buffer.find(self._until, self._at, limit)
        if at < 0:
            self._at = max(self._at, limit - len(self._until) + 1)
            return False
        self._at = at
        if _DECLARATION.match(buffer, self._tag_at):
            self._blank = False
        return self._enter(self._back, len(self._until))

    def _in_doctype(self, buffer: bytearray, limit: int) -> bool:
        byte = self._find(_IN_DOCTYPE, buffer, limit)
        if byte is None:
            return False
        if byte in b"\"'":
            return self._quoted(byte, _Xml.DOCTYPE)
        return self._enter(_Xml.SUBSET if byte == ord("[") else _Xml.CONTENT, 1)

    def _in_subset(self, buffer: bytearray, limit: int) -> bool:
        byte = self._find(_IN_SUBSET, buffer, limit)
        if byte is None:
            return False
        return self._enter(_Xml.DOCTYPE, 1) if byte == ord("]") else self._enter(_Xml.SUBSET_OPENING, 0)

    def _subset_opening(self, buffer: bytearray, limit: int) -> bool:
        head = bytes(buffer[self._at:min(limit, self._at + len(_COMMENT))])
        for sign in (_COMMENT, _INSTRUCTION):
            if head.startswith(sign):
                self._back, self._until = _Xml.SUBSET, _CLOSED_BY[sign]
                return self._enter(_Xml.UNTIL, len(sign))
            if sign.startswith(head):
                return False
        if not head.startswith(b"<!"):
            raise Malformed
        return self._enter(_Xml.DECLARATION, 2)

    def _in_declaration(self, buffer: bytearray, limit: int) -> bool:
        byte = self._find(_IN_DECLARATION, buffer, limit)
        if byte is None:
            return False
        return self._enter(_Xml.SUBSET, 1) if byte == ord(">") else self._quoted(byte, _Xml.DECLARATION)

    def _start_name(self, buffer: bytearray, limit: int) -> bool:
        byte = self._read_name(buffer, limit)
        if byte is None:
            return False
        if byte == ord(">"):
            self._at += 1
            self._opened(bytes(self._name), False)
            return True
        if byte not in b" \t\r\n/":
            raise Malformed
        return self._enter(_Xml.TAG, 0)

    def _tag(self, buffer: bytearray, limit: int) -> bool:
        if not self._skip_space(buffer, limit):
            return False
        byte = buffer[self._at]
        if byte == ord(">"):
            self._at += 1
            self._opened(bytes(self._name), False)
            return True
        if byte == ord("/"):
            return self._enter(_Xml.SLASH, 1)
        if _NAME.match(buffer, self._at, self._at + 1).end() == self._at:   # type: ignore[union-attr]
            raise Malformed
        return self._enter(_Xml.ATTRIBUTE, 1)

    def _attribute(self, buffer: bytearray, limit: int) -> bool:
        self._at = _NAME.match(buffer, self._at, limit).end()               # type: ignore[union-attr]
        if self._at >= limit:
            return False
        return self._enter(_Xml.EQUALS, 0)

    def _equals(self, buffer: bytearray, limit: int) -> bool:
        if not self._skip_space(buffer, limit):
            return False
        if buffer[self._at] != ord("="):
            raise Malformed
        return self._enter(_Xml.VALUE, 1)

    def _value(self, buffer: bytearray, limit: int) -> bool:
        if not self._skip_space(buffer, limit):
            return False
        if buffer[self._at] not in b"\"'":
            raise Malformed
        return self._quoted(buffer[self._at], _Xml.TAG)

    def _slash(self, buffer: bytearray, limit: int) -> bool:
        if self._at >= limit:
            return False
        if buffer[self._at] != ord(">"):
            raise Malformed
        self._at += 1
        self._opened(bytes(self._name), True)
        return True

    def _end_name(self, buffer: bytearray, limit: int) -> bool:
        return self._read_name(buffer, limit) is not None and self._enter(_Xml.END_TAG, 0)

    def _end_tag(self, buffer: bytearray, limit: int) -> bool:
        if not self._skip_space(buffer, limit):
            return False
        if buffer[self._at] != ord(">"):
            raise Malformed
        self._at += 1
        self._closed(bytes(self._name))
        return True

    # -- what the steps have in common

    def _enter(self, state: _Xml, over: int) -> bool:
        self._state = state
        self._at += over
        if state in (_Xml.START_NAME, _Xml.END_NAME):
            self._name.clear()
        return True

    def _quoted(self, quote: int, back: _Xml) -> bool:
        self._back, self._until = back, bytes((quote,))
        return self._enter(_Xml.QUOTED, 1)

    def _skip_space(self, buffer: bytearray, limit: int) -> bool:
        self._at = _SPACES.match(buffer, self._at, max(limit, self._at)).end()      # type: ignore[union-attr]
        return self._at < limit

    def _find(self, pattern: re.Pattern[bytes], buffer: bytearray, limit: int) -> int | None:
        found = pattern.search(buffer, self._at, limit)
        self._at = found.start() if found else max(self._at, limit)
        return buffer[self._at] if found else None

    def _read_name(self, buffer: bytearray, limit: int) -> int | None:
        end = _NAME.match(buffer, self._at, max(limit, self._at)).end()             # type: ignore[union-attr]
        self._name += buffer[self._at:end]
        self._at = end
        return buffer[end] if end < limit else None

    def _opened(self, name: bytes, and_closed: bool) -> None:
        self._state, self._blank = _Xml.CONTENT, False
        if not and_closed:
            self._open.append(self._names.setdefault(name, name))
        elif not self._open:
            self._complete = True

    def _closed(self, name: bytes) -> None:
        if not self._open or self._open.pop() != name:
            raise Malformed
        self._state = _Xml.CONTENT
        self._complete = not self._open


# -- STX … ETX LRC -----------------------------------------------------------------------------------------------------

class StxEnd:
    def __init__(self, begin: int):
        self._begin = begin
        self._at = begin + 1

    def scan(self, buffer: bytearray, limit: int) -> int | None:
        etx = buffer.find(ETX, self._at, limit)
        if etx < 0:
            self._at = max(self._at, limit)
            return None
        self._at = etx
        if etx + 1 == len(buffer):
            return None
        if buffer[etx + 1] != lrc(buffer[self._begin + 1:etx + 1]):
            raise Malformed(kept=etx + 2)
        return etx + 2


def lrc(data: bytes | bytearray) -> int:
    """The XOR of all bytes: folded as long numbers, since a message may have a million."""
    number, size = int.from_bytes(data, "big"), len(data)
    while size > 1:
        half = size // 2
        number = (number >> 8 * half) ^ (number & ((1 << 8 * half) - 1))
        size -= half
    return number
