"""PURE. Payloads to typed messages and back: the table of the public contract.

| message     | direction | payload                                                                          |
|-------------|-----------|----------------------------------------------------------------------------------|
| Register    | out       | `{"Command":"Register","TerminalType":…,…,"AckHeartbeat":"true"}`                |
| answer      | in        | `OK-REGISTRATION`; anything else is a refusal                                    |
| Heartbeat   | out       | `{"Command":"TerminalHeartbeat"}`                                                |
| ack         | in        | `{"Status":"OK"}`                                                                |
| transaction | in        | the payment application's own format, opaque; only `peek` looks for two names    |
| response    | out       | the payment application's answer, unchanged                                      |

Everything that goes out ends in EOT EOT (econduit-direct, "Overview"). The document's example of Register lacks its
opening brace and has typographic quotes; this is the valid JSON that it means, names, case and order as it has them.
"""
import json
from dataclasses import dataclass

from . import lenient
from .framing import EOT2

HEARTBEAT = b'{"Command":"TerminalHeartbeat"}' + EOT2
ACCEPTED = "OK-REGISTRATION"
INVALID_TYPE = "FAILED-INVALID-TERMINAL-TYPE"
_ACK = {"Status": "OK"}
_LONGEST_ACK = 256


@dataclass(frozen=True)
class Peek:
    """What may be known of a transaction: its `RefID` and `Command`, each None where the request does not say."""
    ref_id: str | None = None
    command: str | None = None


def register(terminal_type: str, model: str, terminal_id: str, software_version: str, ack_heartbeat: bool) -> bytes:
    """The Register message, EOT EOT included. Every value is a quoted string."""
    fields = {"Command": "Register", "TerminalType": terminal_type, "TerminalModel": model, "TerminalID": terminal_id,
              "SoftwareVersion": software_version, "AckHeartbeat": "true" if ack_heartbeat else "false"}
    return json.dumps(fields, separators=(",", ":")).encode("ascii") + EOT2


def terminated(payload: bytes) -> bytes:
    """A response as it goes over the wire: unchanged, then EOT EOT."""
    return payload + EOT2


def registration_answer(payload: bytes) -> str:
    """The cloud's answer as text: white space and a JSON string's quotes around it do not count."""
    return payload.decode("utf-8", "replace").strip().strip('"')


def is_ack(payload: bytes) -> bool:
    """Is this the heartbeat's acknowledgement? Equal as JSON, so that spaces in it do no harm."""
    return len(payload) <= _LONGEST_ACK and lenient.parse(payload) == _ACK


def peek(request: bytes) -> Peek:
    """Look up `RefID` and `Command` (any case, top level) in a request that happens to be a JSON object.

    The first of several spellings wins. Never raises.
    """
    fields = lenient.parse(request)
    if not isinstance(fields, dict):
        return Peek()
    found = {}
    for name, value in fields.items():
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            found.setdefault(name.lower(), str(value))
    return Peek(ref_id=found.get("refid") or None, command=found.get("command") or None)
