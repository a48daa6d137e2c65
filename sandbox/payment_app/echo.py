"""The payment application's echo mode, for a lab: an answer that tells what the application was handed. PURE.

    JSON   {"Command":"Sale","RefID":…,"Amount":…,"AnswerBytes":"70000","Delay":"5"}      → {"ResultCode":"Approved",…}
    XML    <request><Command>Sale</Command><RefID>…</RefID>…</request>                    → <response>…</response>
    STX    Command version type Amount account RefID Echo AnswerBytes Delay, between FS   → T01 and fields, between FS

Every answer holds RefID, AuthCode (how many requests this application has run), RequestBytes and RequestSHA256 (of what
it was handed), in STX in this order behind `T01` and the version. `AnswerBytes` makes the answer exactly so long,
`Delay` makes it wait so many seconds. Nothing is shared with the product's own reading of these formats.
"""
import hashlib
import json
import re
from dataclasses import dataclass
from functools import reduce
from operator import xor
from xml.etree import ElementTree

STX, ETX, FS = b"\x02", b"\x03", b"\x1c"
MAX_ANSWER = 8 << 20
MAX_DELAY = 600.0
"""Seconds."""
_STX_FIELDS = ("command", "version", "type", "amount", "account", "refid", "echo", "answerbytes", "delay")


@dataclass(frozen=True, slots=True)
class Echo:
    """What a request asks for. `kind`: "json", "xml", "stx" or "text"."""

    kind: str
    ref: str
    command: str
    amount: str
    answer_bytes: int
    delay: float


def understand(request: bytes) -> Echo:
    """Reads a request, whatever it is; never raises. `delay` in seconds."""
    first = request.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if first == STX:
        parts = (part.decode("latin-1") for part in request[1:-2].split(FS))
        kind, fields = "stx", dict(zip(_STX_FIELDS, parts, strict=False))
    elif first == b"<":
        kind, fields = "xml", _xml(request)
    else:
        fields = _json(request)
        kind = "json" if fields else "text"
    command = fields.get("command") or fields.get("transtype", "")
    return Echo(kind, fields.get("refid", ""), command, fields.get("amount", ""),
                min(int(_number(fields.get("answerbytes"))), MAX_ANSWER), min(_number(fields.get("delay")), MAX_DELAY))


def answer(request: bytes, asked: Echo, runs: int) -> bytes:
    """The answer's bytes, without EOT EOT. `runs` counts this one."""
    told = {"RefID": asked.ref, "AuthCode": auth_code(runs), "RequestBytes": str(len(request)),
            "RequestSHA256": hashlib.sha256(request).hexdigest()}
    more = {"ResultCode": "Approved", "Message": "APPROVED", "TransType": asked.command, "AmountString": asked.amount}

    def made(filler: str) -> bytes:
        match asked.kind:
            case "json":
                return json.dumps({**told, **more, "Filler": filler}, separators=(",", ":")).encode()
            case "xml":
                root = ElementTree.Element("response")
                for name, value in {**told, **more, "Filler": filler}.items():
                    ElementTree.SubElement(root, name).text = value
                return ElementTree.tostring(root, short_empty_elements=False)
            case "stx":
                parts = ["T01", "1.28", *told.values(), "000000", *more.values(), filler]
                content = FS.join(part.encode("latin-1", "replace") for part in parts) + ETX
                return STX + content + bytes([reduce(xor, content, 0)])
            case _:
                return " ".join([*told.values(), *more.values(), filler]).strip().encode()

    short = made("")
    missing = asked.answer_bytes - len(short)
    return made("x" * missing) if missing > 0 else short


def auth_code(runs: int) -> str:
    """The AuthCode of a run."""
    return f"{runs:06d}"


def _json(request: bytes) -> dict[str, str]:
    try:
        found = json.loads(request)
    except (ValueError, RecursionError):
        return {}
    return {str(name).lower(): str(value)[:200] for name, value in found.items()} if isinstance(found, dict) else {}


def _xml(request: bytes) -> dict[str, str]:
    if b"<!ENTITY" in request:
        return {}
    try:
        root = ElementTree.fromstring(request)
    except (ElementTree.ParseError, ValueError, LookupError):
        return {}
    fields: dict[str, str] = {}
    for element in root.iter():
        for name, value in [*element.attrib.items(), (element.tag.rpartition("}")[2], (element.text or "").strip())]:
            if _printable(value):
                fields.setdefault(name.lower(), value[:200])
    return fields


def _printable(text: str) -> bool:
    return not any(ord(char) < 32 for char in text)


def _number(text: str | None) -> float:
    return float(text) if text and re.fullmatch(r"\d{1,9}(\.\d{1,3})?", text) else 0.0
