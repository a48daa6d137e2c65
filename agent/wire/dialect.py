"""PURE. Every message of the protocol, out and in: the table of the public contract.

| message      | direction | payload                                                                              |
|--------------|-----------|--------------------------------------------------------------------------------------|
| Register     | out       | `{"Command":"Register","TerminalType":…,…,"AckHeartbeat":"true"}`                    |
| Heartbeat    | out       | `{"Command":"TerminalHeartbeat"}`                                                    |
| response     | out       | the payment application's answer, unchanged                                          |
| ACCEPTED     | in        | `OK-REGISTRATION`: the answer to Register                                            |
| FAILED       | in        | `FAILED-REGISTRATION`: likewise; later: the cloud no longer has us                   |
| INVALID_TYPE | in        | `FAILED-INVALID-TERMINAL-TYPE`: likewise                                             |
| ACK          | in        | `{"Status":"OK"}`                                                                    |
| STATUS       | in        | another JSON object, up to 256 bytes, of `Status` and perhaps `Message` alone        |
| TRANSACTION  | in        | anything else: the payment application's own format, opaque (but see `wire.lookup`)  |

Everything that goes out ends in EOT EOT (econduit-direct, "Overview"). The document's example of Register lacks its
opening brace and has typographic quotes; this is the valid JSON that it means, names, case and order as it has them.
White space and a byte order mark around a text, a JSON string's quotes, and the spacing of JSON do not count.
"""
import json
from enum import Enum, auto

from . import lenient
from .formats import EOT2, bare

HEARTBEAT = b'{"Command":"TerminalHeartbeat"}' + EOT2
ACCEPTED = "OK-REGISTRATION"
FAILED = "FAILED-REGISTRATION"
INVALID_TYPE = "FAILED-INVALID-TERMINAL-TYPE"
ANSWERS = (ACCEPTED.encode(), FAILED.encode(), INVALID_TYPE.encode())
"""The registration answers as they are on the wire, for `wire.framing`."""
_STATUS_KEYS = ({"Status"}, {"Status", "Message"})
_LONGEST_STATUS = 256


class Kind(Enum):
    """What a payload from the cloud is."""
    ACCEPTED = auto()
    FAILED = auto()
    INVALID_TYPE = auto()
    ACK = auto()
    STATUS = auto()
    TRANSACTION = auto()


_TEXTS = {ACCEPTED: Kind.ACCEPTED, FAILED: Kind.FAILED, INVALID_TYPE: Kind.INVALID_TYPE}
_LONGEST_TEXT = max(map(len, _TEXTS)) + 64


def register(terminal_type: str, model: str, terminal_id: str, software_version: str, ack_heartbeat: bool) -> bytes:
    """The Register message, EOT EOT included. Every value is a quoted string."""
    fields = {"Command": "Register", "TerminalType": terminal_type, "TerminalModel": model, "TerminalID": terminal_id,
              "SoftwareVersion": software_version, "AckHeartbeat": "true" if ack_heartbeat else "false"}
    return json.dumps(fields, separators=(",", ":")).encode("ascii") + EOT2


def response(payload: bytes) -> bytes:
    """A response as it goes over the wire: unchanged, then EOT EOT."""
    return payload + EOT2


def text(payload: bytes) -> str:
    """A payload as text, without what does not count around it."""
    return bare(payload).decode("utf-8", "replace").strip().strip('"')


def kind(payload: bytes) -> Kind:
    """What a payload is, once registered. An answer to Register is one of the first three, or something else."""
    message = bare(payload)
    if len(message) <= _LONGEST_TEXT and (known := _TEXTS.get(text(message))):
        return known
    if not message.startswith(b"{") or len(message) > _LONGEST_STATUS:
        return Kind.TRANSACTION
    fields = lenient.parse(message)
    if not isinstance(fields, dict) or fields.keys() not in _STATUS_KEYS:
        return Kind.TRANSACTION
    return Kind.ACK if fields == {"Status": "OK"} else Kind.STATUS
