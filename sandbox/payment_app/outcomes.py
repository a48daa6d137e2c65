"""What the sandbox's payment application does with a request, by its amount. PURE.

`TABLE` is the whole rule; `--help` prints it. An amount that it does not name is approved.
"""
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

END = b"\x04\x04"
TEST_PAN = "4111111111111111"
BIG = 256 << 10
OVERSIZED = 2 << 20


@dataclass(frozen=True)
class Outcome:
    """What happens: wait, then do `act` with the answer."""
    act: str = "answer"
    seconds: float = 0.0
    result: str = "Approved"
    message: str = "APPROVED"


# amount: (what people read, what happens)
TABLE: dict[str, tuple[str, Outcome]] = {
    "5.05": ("declined", Outcome(result="Declined", message="DECLINED")),
    "6.xx": ("approved after xx hundredths of a second", Outcome()),
    "7.xx": ("approved after xx seconds", Outcome()),
    "8.88": ("held until nobody locks the file of --hold, then approved", Outcome("hold")),
    "9.01": ("closes without an answer", Outcome("close")),
    "9.02": ("sends half an answer, then closes", Outcome("half")),
    "9.03": ("answers without EOT EOT and keeps the connection open", Outcome("bare")),
    "9.04": ("never answers and keeps the connection open", Outcome("never")),
    "9.05": ("answers twice", Outcome("twice")),
    "9.06": ("the application exits without an answer (status 9)", Outcome("exit")),
    "9.07": ("answers a text that is not JSON", Outcome("text")),
    "9.08": ("approved; the answer holds an unmasked test card number", Outcome("pan")),
    "9.09": ("approved; the answer is 256 KiB", Outcome("big")),
    "9.10": ("answers a text without EOT EOT and keeps the connection open", Outcome("bare-text")),
    "9.11": ("answers without EOT EOT, then closes", Outcome("bare-close")),
    "9.12": ("ends the connection with a TCP reset", Outcome("rst")),
    "9.13": ("answers in pieces of 7 bytes, 5 ms apart", Outcome("pieces")),
    "9.14": ("approved; a lone 0x04 is inside the answer", Outcome("lone")),
    "9.15": ("answers, then the application exits (status 9)", Outcome("answer-exit")),
    "9.16": ("answers bytes that are no text", Outcome("garbage")),
    "9.17": ("sends 2 MiB without an end", Outcome("oversized")),
}
APPROVED = Outcome()
AMOUNT = re.compile(r"\d{1,10}(\.\d{1,4})?")
"""What counts as a sum of money."""


@dataclass(frozen=True)
class Request:
    """What can be known of a request: its fields when it is JSON, its amount as text, its hash."""
    body: bytes
    fields: dict[str, Any]
    amount: str
    ref: str | None
    command: str | None
    sha256: str


def understand(body: bytes) -> Request:
    """Reads a request; what is not a JSON object has no fields. Never raises."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    fields = {str(k).lower(): v for k, v in found.items()} if isinstance(found, dict) else {}
    amount = fields.get("amount")
    if isinstance(amount, float):
        amount = f"{amount:.2f}"
    return Request(body, fields, str(amount)[:20] if isinstance(amount, (str, int)) else "",
                   _text(fields.get("refid")), _text(fields.get("command")), hashlib.sha256(body).hexdigest())


def _text(value: Any) -> str | None:
    return str(value)[:200] if isinstance(value, (str, int)) else None


def outcome(amount: str) -> Outcome:
    """What happens with this amount."""
    slow = re.fullmatch(r"([67])\.(\d\d)", amount)
    if slow:
        return Outcome(seconds=int(slow[2]) * (0.01 if slow[1] == "6" else 1.0))
    return TABLE[amount][1] if amount in TABLE else APPROVED


def answer(request: Request, what: Outcome, auth_code: str) -> bytes:
    """The answer's bytes, without EOT EOT. Requests that are not JSON are approved in plain text."""
    if what.act in ("text", "bare-text"):
        return b"APPROVED WITHOUT JSON " + auth_code.encode()
    if what.act == "garbage":
        return bytes(range(0x80, 0x100)) + b"\x00\x01\x02\x03"
    if what.act == "oversized":
        return b'{"Filler":"'.ljust(OVERSIZED, b"A")
    if not request.fields:
        return b"APPROVED " + auth_code.encode() + b" " + request.body
    amount = request.amount or "0.00"
    fields = {
        "TerminalID": _text(request.fields.get("terminalid")) or "", "ResultCode": what.result,
        "AuthCode": auth_code if what.result == "Approved" else "", "TransType": request.command or "",
        "Amount": float(amount) if AMOUNT.fullmatch(amount) else 0.0, "AmountString": amount,
        "CardType": "Visa", "Last4": TEST_PAN[-4:], "Message": what.message, "RefID": request.ref or "",
    }
    if what.act == "pan":
        fields["CardNumber"] = TEST_PAN
    if what.act == "big":
        fields["Filler"] = ""
        fields["Filler"] = "x" * (BIG - len(json.dumps(fields, separators=(",", ":"))))
    text = json.dumps(fields, separators=(",", ":")).encode()
    return text.replace(b'"Message":"', b'"Message":"\x04', 1) if what.act == "lone" else text


def table() -> str:
    """The table, for people."""
    rows = [(amount, text) for amount, (text, _) in TABLE.items()] + [("others", "approved")]
    return "\n".join(f"  {amount:<7} {text}" for amount, text in rows)
