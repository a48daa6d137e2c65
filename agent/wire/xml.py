"""PURE. Where an XML document ends: at the `>` that closes its root, by depth and names.

It is read as bytes of an encoding that extends ASCII. Names are compared; strings, comments, CDATA sections, processing
instructions and the DOCTYPE with its internal subset are known for what they are; entities, characters and the values
of attributes are not checked: this looks for the end of a document, not for its mistakes. What would be read in two
ways (a value without quotes, `< a>`, a closing tag of another name) is Malformed.

| state          | it reads                                       | leads to                                       |
|----------------|------------------------------------------------|------------------------------------------------|
| CONTENT        | what is between markup                         | OPENING at <                                   |
| OPENING        | the sign after <                               | whatever it begins; CONTENT after a whole tag  |
| UNTIL          | a comment, CDATA section, instruction          | where it was: CONTENT, SUBSET                  |
| QUOTED         | a string                                       | where it was: DOCTYPE, DECLARATION, TAG        |
| DOCTYPE        | what is after <!DOCTYPE, and after its [ … ]   | SUBSET at [; CONTENT at >                      |
| SUBSET         | what is in there                               | SUBSET_OPENING at <; DOCTYPE at ]              |
| SUBSET_OPENING | the sign after <                               | UNTIL, DECLARATION                             |
| DECLARATION    | <!ENTITY … > and the like                      | SUBSET at >                                    |
| START_NAME     | the name in a start tag                        | TAG; CONTENT at >                              |
| TAG            | white space after it, or after an attribute    | ATTRIBUTE; SLASH at /; CONTENT at >            |
| ATTRIBUTE      | the name of an attribute                       | EQUALS                                         |
| EQUALS         | white space, =                                 | VALUE                                          |
| VALUE          | white space, a quote                           | QUOTED                                         |
| SLASH          | the > of <name/>                               | CONTENT                                        |
| END_NAME       | the name in a closing tag                      | END_TAG                                        |
| END_TAG        | white space, >                                 | CONTENT                                        |

A tag that is here as a whole is read by one regular expression; the states from START_NAME on are for one that is not.
"""
import re
from collections.abc import Callable
from enum import Enum, auto

from .formats import Malformed, run_end


class _State(Enum):
    CONTENT = auto()
    OPENING = auto()
    UNTIL = auto()
    QUOTED = auto()
    DOCTYPE = auto()
    SUBSET = auto()
    SUBSET_OPENING = auto()
    DECLARATION = auto()
    START_NAME = auto()
    TAG = auto()
    ATTRIBUTE = auto()
    EQUALS = auto()
    VALUE = auto()
    SLASH = auto()
    END_NAME = auto()
    END_TAG = auto()


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


class XmlScanner:
    def __init__(self, begin: int):
        self._at = begin
        self._state = _State.CONTENT
        self._back = _State.CONTENT         # where UNTIL and QUOTED lead to
        self._until = b""                   # what ends them
        self._tag_at = begin                # where the last < is
        self._name = bytearray()            # the name that is being read
        self._open: list[bytes] = []        # the names of the open elements
        self._names: dict[bytes, bytes] = {}    # each once: a deep document has few
        self._doctype = False
        self._complete = False
        self._blank = True

    @property
    def blank(self) -> bool:
        """Nothing is here but comments and processing instructions, whole ones, which are no message."""
        return self._blank and self._state is _State.CONTENT

    def scan(self, buffer: bytearray, limit: int) -> int | None:
        while _STEPS[self._state](self, buffer, limit):
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
        return self._at < limit and self._enter(_State.OPENING, 0)

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
            return self._enter(_State.END_NAME, 2)
        if not _NAME_BEGINS.match(head, 1):
            raise Malformed
        self._blank = False
        return self._enter(_State.START_NAME, 1)

    def _special(self, sign: bytes) -> bool:
        if sign == _DOCTYPE:
            if self._open or self._doctype:
                raise Malformed
            self._doctype, self._blank = True, False
            return self._enter(_State.DOCTYPE, len(sign))
        if sign == _CDATA and not self._open:
            raise Malformed
        self._back, self._until = _State.CONTENT, _CLOSED_BY[sign]
        return self._enter(_State.UNTIL, len(sign))

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
            return self._quoted(byte, _State.DOCTYPE)
        return self._enter(_State.SUBSET if byte == ord("[") else _State.CONTENT, 1)

    def _in_subset(self, buffer: bytearray, limit: int) -> bool:
        byte = self._find(_IN_SUBSET, buffer, limit)
        if byte is None:
            return False
        return self._enter(_State.DOCTYPE, 1) if byte == ord("]") else self._enter(_State.SUBSET_OPENING, 0)

    def _subset_opening(self, buffer: bytearray, limit: int) -> bool:
        head = bytes(buffer[self._at:min(limit, self._at + len(_COMMENT))])
        for sign in (_COMMENT, _INSTRUCTION):
            if head.startswith(sign):
                self._back, self._until = _State.SUBSET, _CLOSED_BY[sign]
                return self._enter(_State.UNTIL, len(sign))
            if sign.startswith(head):
                return False
        if not head.startswith(b"<!"):
            raise Malformed
        return self._enter(_State.DECLARATION, 2)

    def _in_declaration(self, buffer: bytearray, limit: int) -> bool:
        byte = self._find(_IN_DECLARATION, buffer, limit)
        if byte is None:
            return False
        return self._enter(_State.SUBSET, 1) if byte == ord(">") else self._quoted(byte, _State.DECLARATION)

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
        return self._enter(_State.TAG, 0)

    def _tag(self, buffer: bytearray, limit: int) -> bool:
        if not self._skip_space(buffer, limit):
            return False
        byte = buffer[self._at]
        if byte == ord(">"):
            self._at += 1
            self._opened(bytes(self._name), False)
            return True
        if byte == ord("/"):
            return self._enter(_State.SLASH, 1)
        if run_end(_NAME, buffer, self._at, self._at + 1) == self._at:
            raise Malformed
        return self._enter(_State.ATTRIBUTE, 1)

    def _attribute(self, buffer: bytearray, limit: int) -> bool:
        self._at = run_end(_NAME, buffer, self._at, limit)
        if self._at >= limit:
            return False
        return self._enter(_State.EQUALS, 0)

    def _equals(self, buffer: bytearray, limit: int) -> bool:
        if not self._skip_space(buffer, limit):
            return False
        if buffer[self._at] != ord("="):
            raise Malformed
        return self._enter(_State.VALUE, 1)

    def _value(self, buffer: bytearray, limit: int) -> bool:
        if not self._skip_space(buffer, limit):
            return False
        if buffer[self._at] not in b"\"'":
            raise Malformed
        return self._quoted(buffer[self._at], _State.TAG)

    def _slash(self, buffer: bytearray, limit: int) -> bool:
        if self._at >= limit:
            return False
        if buffer[self._at] != ord(">"):
            raise Malformed
        self._at += 1
        self._opened(bytes(self._name), True)
        return True

    def _end_name(self, buffer: bytearray, limit: int) -> bool:
        return self._read_name(buffer, limit) is not None and self._enter(_State.END_TAG, 0)

    def _end_tag(self, buffer: bytearray, limit: int) -> bool:
        if not self._skip_space(buffer, limit):
            return False
        if buffer[self._at] != ord(">"):
            raise Malformed
        self._at += 1
        self._closed(bytes(self._name))
        return True

    # -- what the steps have in common

    def _enter(self, state: _State, over: int) -> bool:
        self._state = state
        self._at += over
        if state in (_State.START_NAME, _State.END_NAME):
            self._name.clear()
        return True

    def _quoted(self, quote: int, back: _State) -> bool:
        self._back, self._until = back, bytes((quote,))
        return self._enter(_State.QUOTED, 1)

    def _skip_space(self, buffer: bytearray, limit: int) -> bool:
        self._at = run_end(_SPACES, buffer, self._at, limit)
        return self._at < limit

    def _find(self, pattern: re.Pattern[bytes], buffer: bytearray, limit: int) -> int | None:
        found = pattern.search(buffer, self._at, limit)
        self._at = found.start() if found else max(self._at, limit)
        return buffer[self._at] if found else None

    def _read_name(self, buffer: bytearray, limit: int) -> int | None:
        end = run_end(_NAME, buffer, self._at, limit)
        self._name += buffer[self._at:end]
        self._at = end
        return buffer[end] if end < limit else None

    def _opened(self, name: bytes, and_closed: bool) -> None:
        self._state, self._blank = _State.CONTENT, False
        if not and_closed:
            self._open.append(self._names.setdefault(name, name))
        elif not self._open:
            self._complete = True

    def _closed(self, name: bytes) -> None:
        if not self._open or self._open.pop() != name:
            raise Malformed
        self._state = _State.CONTENT
        self._complete = not self._open


_STEPS: dict[_State, Callable[[XmlScanner, bytearray, int], bool]] = {
    _State.CONTENT: XmlScanner._content, _State.OPENING: XmlScanner._opening, _State.UNTIL: XmlScanner._until_closed,
    _State.QUOTED: XmlScanner._until_closed, _State.DOCTYPE: XmlScanner._in_doctype,
    _State.SUBSET: XmlScanner._in_subset, _State.SUBSET_OPENING: XmlScanner._subset_opening,
    _State.DECLARATION: XmlScanner._in_declaration,
    _State.START_NAME: XmlScanner._start_name, _State.TAG: XmlScanner._tag, _State.ATTRIBUTE: XmlScanner._attribute,
    _State.EQUALS: XmlScanner._equals, _State.VALUE: XmlScanner._value, _State.SLASH: XmlScanner._slash,
    _State.END_NAME: XmlScanner._end_name, _State.END_TAG: XmlScanner._end_tag}
