"""What a Register message may say, by the document. PURE."""
from typing import Any

FIELDS = ("Command", "TerminalType", "TerminalModel", "TerminalID", "SoftwareVersion", "AckHeartbeat")


def what_is_wrong(register: dict[str, Any]) -> str | None:
    """What a Register message has against it, by the document; None when it can be taken."""
    for name in FIELDS:
        if name not in register:
            return f"{name} is missing (names and case must be exactly those of the document)"
        if not isinstance(register[name], str):
            return f"{name} must be a quoted string"
    if not register["TerminalID"]:
        return "TerminalID is empty"
    if register["AckHeartbeat"] not in ("true", "false"):
        return 'AckHeartbeat must be "true" or "false"'
    return None


def what_is_odd(register: dict[str, Any]) -> str | None:
    """What a Register message that can be taken does otherwise than the document; None when nothing."""
    extra = sorted(set(register) - set(FIELDS))
    if extra:
        return f"warning: {extra[0][:40]} is not part of a Register message"
    if tuple(register) != FIELDS:
        return "warning: the fields are not in the document's order"
    return None
