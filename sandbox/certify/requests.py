"""Requests that an examiner sends as transactions, and what the answers tell of them, in JSON, XML and STX. PURE.

The application's echo mode answers with RefID, AuthCode (which counts its runs), RequestBytes and RequestSHA256; a
request may ask for the answer's length (AnswerBytes) and for a wait (Delay). An answer of any other application is an
answer, and tells nothing more.
"""
import hashlib
import json
import re
from dataclasses import dataclass
from functools import reduce
from operator import xor
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from econduit_terminal.sandbox.certify.device import Format
from econduit_terminal.sandbox.certify.inbox import json_object

FS = b"\x1c"
UNUSUAL = {
    Format.JSON: '{{ "Command" :\t"Sale",  "Amount":"2.50","RefID":"{ref}",\r\n "TerminalID":"{terminal}", '
                 '"Echo":"caf\\u00e9 \\/ \\"\u00e9\u4e2d\\" [}}"  ,"Filler" : [1.0, 1e2, null], "Status":"OK", '
                 '"Note":"OK-REGISTRATION FAILED-REGISTRATION TerminalHeartbeat" }}',
    Format.XML: '<?xml version="1.0" encoding="UTF-8"?>\r\n<!-- a </request> in a comment -->\n'
                '<request  kind=\'a>b\' ><Command>Sale</Command>\t<Status>OK</Status><Note>FAILED-REGISTRATION</Note>'
                '<Amount>2.50</Amount><RefID>{ref}</RefID><Echo><![CDATA[</request> &]]> caf\u00e9 &#233;</Echo>'
                '<Empty /></request>',
}


@dataclass(frozen=True, slots=True)
class Request:
    """A transaction: its bytes without any end, its reference, what its answer should be like."""

    ref: str
    body: bytes
    answer_bytes: int = 0
    delay: float = 0.0

    @property
    def sha256(self) -> str:
        """Hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; what it does not tell is None. `whole`: well-formed in the declared format."""

    body: bytes
    ref: str | None
    auth: str | None
    runs: int | None
    request_bytes: int | None
    request_sha256: str | None
    whole: bool


def build(form: Format, ref: str, terminal: str, *, echo: str = "", answer_bytes: int = 0, delay: float = 0.0,
          template: str = "") -> Request:
    """A sale. `template`: a request of another application, with {RefID} in it."""
    if template:
        return Request(ref, template.replace("{RefID}", ref).encode())
    wanted = str(answer_bytes) if answer_bytes else ""
    wait = f"{delay:g}" if delay else ""
    match form:
        case Format.JSON:
            fields = {"Command": "Sale", "Amount": "2.50", "RefID": ref, "TerminalID": terminal, "Echo": echo,
                      "AnswerBytes": wanted, "Delay": wait}
            body = json.dumps({name: value for name, value in fields.items() if value}, ensure_ascii=False,
                              separators=(",", ":")).encode()
        case Format.XML:
            pairs = {"Command": "Sale", "Amount": "2.50", "RefID": ref, "Echo": echo, "AnswerBytes": wanted,
                     "Delay": wait}
            body = b"<request>" + b"".join(f"<{name}>{escape(value)}</{name}>".encode()
                                           for name, value in pairs.items() if value) + b"</request>"
        case Format.STX:
            body = framed(FS.join(part.encode() for part in ("T00", "1.28", "01", "250", "1", ref, echo, wanted, wait)))
    return Request(ref, body, answer_bytes, delay)


def unusual(form: Format, ref: str, terminal: str) -> Request:
    """A sale in a spelling that nobody would choose who writes it again."""
    if form is Format.STX:
        return Request(ref, framed(FS.join((b"T00", b"1.28", b"01", b" 250", b"", ref.encode(),
                                            bytes(range(0x80, 0x100)), b"", b""))))
    return Request(ref, UNUSUAL[form].format(ref=ref, terminal=terminal).encode())


def with_lrc(value: int, ref: str) -> Request:
    """An STX sale whose check byte is `value`."""
    for char in range(0x20, 0x7F):
        request = build(Format.STX, ref, "", echo=chr(char))
        for more in range(0x20, 0x7F):
            if request.body[-1] == value:
                return request
            request = build(Format.STX, ref, "", echo=chr(char) + chr(more))
    raise ValueError(f"no text gives the check byte {value}")


def framed(content: bytes) -> bytes:
    """STX content ETX LRC."""
    return b"\x02" + content + b"\x03" + bytes([reduce(xor, content + b"\x03", 0)])


def read(form: Format, body: bytes, expected: Request | None = None) -> Answer:
    """What an answer tells. `expected`: the request it should belong to; an unnamed reference is found by it."""
    match form:
        case Format.JSON:
            fields = {str(name).lower(): str(value) for name, value in json_object(body).items()}
            whole = bool(fields)
        case Format.XML:
            fields, whole = _xml(body)
        case Format.STX:
            fields, whole = _stx(body, expected)
    ref = fields.get("refid") or None
    if ref is None and expected is not None and expected.ref.encode() in body:
        ref = expected.ref
    auth = fields.get("authcode") or None
    digits = re.search(r"\d+", auth or "")
    size = fields.get("requestbytes", "")
    sha = fields.get("requestsha256", "").lower()
    return Answer(body, ref, auth, int(digits[0]) if digits and len(digits[0]) < 16 else None,
                  int(size) if size.isdecimal() and len(size) < 10 else None, sha or None, whole)


def _xml(body: bytes) -> tuple[dict[str, str], bool]:
    if b"<!ENTITY" in body[:65536]:
        return {}, False
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError):
        return {}, False
    fields = {name.lower(): value for name, value in root.attrib.items()}
    for element in root.iter():
        fields.setdefault(element.tag.rpartition("}")[2].lower(), (element.text or "").strip())
    return fields, True


def _stx(body: bytes, expected: Request | None) -> tuple[dict[str, str], bool]:
    whole = len(body) > 3 and body[0] == 2 and body[-2] == 3 and reduce(xor, body[1:-1], 0) == body[-1]
    parts = [part.decode("latin-1") for part in body[1:-2].split(FS)]
    fields = {name.lower(): value for name, equals, value in (part.partition("=") for part in parts) if equals}
    sha = next((at for at, part in enumerate(parts) if re.fullmatch(r"[0-9a-fA-F]{64}", part)), None)
    if sha is not None and sha >= 3:
        # By place: … RefID, AuthCode, RequestBytes, RequestSHA256.
        for name, value in zip(("refid", "authcode", "requestbytes", "requestsha256"), parts[sha - 3:sha + 1],
                               strict=True):
            fields.setdefault(name, value)
    if expected is not None and expected.ref in parts:
        fields["refid"] = expected.ref
    return fields, whole
