"""From what was seen to a finding. PURE.

Each function takes what a scene observed and says PASS, NON-STRICT or FAIL with the words for it; a case of level
PRACTICE that fails becomes ADVICE later, in one place.
"""
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from econduit_terminal.sandbox.certify.inbox import Message
from econduit_terminal.sandbox.certify.requests import Answer, Request
from econduit_terminal.sandbox.certify.table.answers import END
from econduit_terminal.sandbox.certify.table.model import Finding, Verdict
from econduit_terminal.sandbox.certify.wire_log import masked, printable

NAMES = ("Command", "TerminalType", "TerminalModel", "TerminalID", "SoftwareVersion", "AckHeartbeat")
HEARTBEAT = b'{"Command":"TerminalHeartbeat"}'
PASS, NON_STRICT, FAIL, INFO = Verdict.PASS, Verdict.NON_STRICT, Verdict.FAIL, Verdict.INFO


def shown(data: bytes, limit: int = 120) -> str:
    """Bytes for a person: as text where they are text, cut to a length, card numbers masked."""
    text = printable(masked(data[:limit + 32])[:limit].decode("utf-8", "backslashreplace"))
    return text + (f"… ({len(data):,} bytes)" if len(data) > limit else "")


def ends(messages: Iterable[Message]) -> Finding:
    """Whether each ends in exactly EOT EOT, with nothing before it. `messages` must be whole and settled."""
    wrong: list[str] = []
    count = 0
    for message in messages:
        count += 1
        if message.lead:
            wrong.append(f"{shown(message.lead)} before {shown(message.body, 40)}")
        if message.tail != END:
            what = {b"": "nothing", b"\x04": "a single 0x04"}.get(message.tail, message.tail.hex(" "))
            wrong.append(f"{what} behind {shown(message.body, 60)}")
    if not count:
        return Finding(Verdict.INCONCLUSIVE, "none was seen")
    if wrong:
        return Finding(FAIL, f"{len(wrong)} of {count}: {wrong[0]}")
    return Finding(PASS, f"all {count} end in EOT EOT")


# The registration

def register_json(body: bytes) -> Finding:
    """One valid JSON object."""
    try:
        found = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        quotes = " (typographic quotes)" if re.search("[\u201c\u201d]", body.decode("utf-8", "replace")) else ""
        return Finding(FAIL, f"no JSON{quotes}: {error}: {shown(body)}")
    if not isinstance(found, dict):
        return Finding(FAIL, f"JSON, but no object: {shown(body)}")
    names = [name for name, _ in _pairs(body)]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        return Finding(FAIL, f"{', '.join(double)} is in it more than once")
    return Finding(PASS, shown(body, 300))


def register_names(fields: dict[str, Any]) -> Finding:
    """Exactly the document's six."""
    missing = [name for name in NAMES if name not in fields]
    extra = [name for name in fields if name not in NAMES]
    if missing:
        near = {name.lower(): name for name in extra}
        words = [f"{name} is missing" + (f" ({near[name.lower()]} is there)" if name.lower() in near else "")
                 for name in missing]
        return Finding(FAIL, "; ".join(words))
    if extra:
        return Finding(NON_STRICT, f"not in the document: {', '.join(extra)}")
    return Finding(PASS, "the six names")


def register_types(fields: dict[str, Any]) -> Finding:
    """Strings, not empty."""
    lenient = _by_name(fields)
    wrong = [f"{name} is {json.dumps(lenient[name])[:60]}" for name in NAMES
             if name in lenient and not (isinstance(lenient[name], str) and lenient[name].strip())]
    return Finding(FAIL, "; ".join(wrong)) if wrong else Finding(PASS, "every value is a string")


def register_order(fields: dict[str, Any]) -> Finding:
    """The document's order, of those of its names that are there."""
    lowered = [name.lower() for name in NAMES]
    order = [name for name in fields if name.lower() in lowered]
    if [name.lower() for name in order] != [name for name in lowered if name in {one.lower() for one in order}]:
        return Finding(NON_STRICT, "the order is " + ", ".join(order))
    return Finding(PASS, "the document's order")


def register_values(fields: dict[str, Any], terminal_type: str, terminal_id: str, acks: Sequence[str]) -> Finding:
    """What the document and the declaration say. `acks`: the values that AckHeartbeat may have."""
    lenient = _by_name(fields)
    wanted: dict[str, tuple[str, ...]] = {"Command": ("Register",), "AckHeartbeat": tuple(acks)}
    if terminal_type:
        wanted["TerminalType"] = (terminal_type,)
    if terminal_id:
        wanted["TerminalID"] = (terminal_id,)
    # A value of another type or a missing name is another case's.
    wrong = [f"{name} is {json.dumps(lenient[name])[:80]}, not {' or '.join(json.dumps(one) for one in values)}"
             for name, values in wanted.items() if name in lenient and _text(lenient[name]) not in values]
    if wrong:
        return Finding(FAIL, "; ".join(wrong))
    return Finding(PASS, ", ".join(f"{name} {lenient[name]!r}" for name in wanted if name in lenient)
                   or "nothing to compare")


def _by_name(fields: dict[str, Any]) -> dict[str, Any]:
    """The document's names, whatever their case was."""
    lower = {name.lower(): value for name, value in fields.items()}
    return {name: lower[name.lower()] for name in NAMES if name.lower() in lower}


def _text(value: Any) -> str:
    """A value that is not a string, as the string that it stands for (its type is judged elsewhere)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _pairs(body: bytes) -> list[tuple[str, Any]]:
    top: list[list[tuple[str, Any]]] = []

    def remember(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        top.append(pairs)
        return dict(pairs)

    json.loads(body, object_pairs_hook=remember)
    return top[-1] if top else []


# Times

def returned(seconds: float | None, good: float, enough: float, what: str = "registered again") -> Finding:
    """How fast the device was back."""
    if seconds is None:
        return Finding(FAIL, f"not {what} within {enough:g} s")
    verdict = PASS if seconds <= good else NON_STRICT if seconds <= enough else FAIL
    return Finding(verdict, f"{what} after {seconds:.2f} s")


def interval(between: Sequence[float], declared: float) -> Finding:
    """Seconds between heartbeats against the declared interval; 50 to 65 of 60 s, with 0.25 s for the network's own."""
    if not between:
        return Finding(Verdict.INCONCLUSIVE, "fewer than two heartbeats were seen")
    low, high = declared * 50 / 60 - 0.25, declared * 65 / 60 + 0.25
    mean = sum(between) / len(between)
    some = between if len(between) <= 8 else sorted(between)[:3] + sorted(between)[-3:]
    words = f"{', '.join(f'{one:.2f}' for one in some)} s apart" + (
        f" (of {len(between)} the shortest and longest)" if some is not between else "") + f", declared {declared:g} s"
    if mean > high or max(between) > 1.5 * high + 0.5:
        return Finding(FAIL, f"less often: {words}")
    often = mean < low or min(between) < low / 2
    return Finding(NON_STRICT, f"more often: {words}") if often else Finding(PASS, words)


def minute(declared: float) -> Finding:
    """The declared interval against the recommended one."""
    words = f"declared {declared:g} s"
    if declared > 65:
        return Finding(FAIL, words)
    if declared < 10:
        return Finding(INFO, f"{words}: a lab's own setting; certify with the one that is shipped")
    return Finding(PASS if declared >= 50 else NON_STRICT, words)


def heartbeat_content(bodies: Iterable[bytes]) -> Finding:
    """The document's text, byte by byte."""
    seen = list(dict.fromkeys(bodies))
    if not seen:
        return Finding(Verdict.INCONCLUSIVE, "no heartbeat was seen")
    findings = [_heartbeat(body) for body in seen]
    return max(findings, key=lambda finding: (PASS, NON_STRICT, FAIL).index(finding.verdict))


def _heartbeat(body: bytes) -> Finding:
    if body == HEARTBEAT:
        return Finding(PASS, shown(body))
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return Finding(FAIL, f"no JSON: {shown(body)}")
    if isinstance(found, dict) and found.get("Command") == "TerminalHeartbeat":
        return Finding(NON_STRICT, f"works, but is not byte by byte the document's: {shown(body)}")
    return Finding(FAIL, f"not the document's: {shown(body)}")


# Transactions

def sold(request: Request, answer: Answer | None, runs: int | None, closed: bool, within: float,
         bytes_too: bool = True) -> Finding:
    """A transaction that must be run exactly once (`bytes_too`: with every byte) and answered."""
    if answer is None:
        return Finding(FAIL, "the device ended the connection without an answer" if closed
                       else f"no answer within {within:g} s")
    if bytes_too and (wrong := altered(request, answer)):
        return Finding(FAIL, wrong)
    if runs is not None and runs != 1:
        return Finding(FAIL, f"the application ran {runs} times for one request")
    tells = answer.request_sha256 or answer.request_bytes is not None
    told = "" if tells else " (the answer does not tell what was run)"
    return Finding(PASS, f"run once, answered with {len(answer.body):,} bytes{told}" if runs is not None else
                   f"answered with {len(answer.body):,} bytes{told}")


def altered(request: Request, answer: Answer) -> str:
    """How what the application was handed differs from what was sent, or ""."""
    if answer.request_bytes is not None and answer.request_bytes != len(request.body):
        return f"the application was handed {answer.request_bytes:,} bytes, {len(request.body):,} were sent"
    if answer.request_sha256 and answer.request_sha256 != request.sha256:
        return f"the application was handed {len(request.body):,} other bytes than were sent (their SHA-256 differs)"
    return ""


def answer_whole(request: Request, answer: Answer | None, closed: bool, within: float) -> Finding:
    """An answer of a length that was asked for: whole, well-formed, and not longer than its end may make it."""
    if answer is None:
        return Finding(FAIL, "the device ended the connection without a whole answer" if closed
                       else f"no whole answer within {within:g} s")
    if not answer.whole:
        return Finding(FAIL, f"not well-formed, {len(answer.body):,} bytes: {shown(answer.body, 60)}")
    if request.answer_bytes and not 0 <= len(answer.body) - request.answer_bytes <= 2048:
        return Finding(FAIL, f"{len(answer.body):,} bytes, {request.answer_bytes:,} were asked for")
    return Finding(PASS, f"{len(answer.body):,} bytes, whole")
