"""Which misbehaviour is asked for, of whom, and how often. PURE.

Rules

- A *control* is a name with typed parameters. `CONTROLS` is the one table of them: the HTTP side, `--help` and
  `GET /sandbox` all read it, so none can be offered without being described.
- An *action* happens once, now. A *fault* stays, for everything in its scope, until it was used `times` times or a
  reset takes it away.
- Scope: `terminal` and `port`; left out means all. The newest fault that fits wins.
- Parameters arrive as JSON or as query text, so each parser takes both. What does not fit raises `ControlError`,
  whose text says what is accepted.
"""
import base64
import binascii
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

PORTS = ("primary", "secondary")
MESSAGES = ("registration", "ack", "transaction")
STEPS = ("connect", "register", "registered", "heartbeat", "request", "sent", "response")
MAX_FAULTS = 1000
MAX_BYTES = 4 << 20
REQUIRED = object()


class ControlError(Exception):
    """A control or one of its parameters is not understood; the text says what is accepted."""


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > MAX_BYTES:
        raise ValueError("a text")
    return value


def _seconds(value: Any) -> float:
    number = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else -1.0
    if not math.isfinite(number) or not 0 <= number <= 86400:
        raise ValueError("seconds, 0 to 86400")
    return number


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        number = int(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else low - 1
        if not low <= number <= high:
            raise ValueError(f"a whole number, {low} to {high}")
        return number
    return parse


def _choice(*accepted: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in accepted:
            raise ValueError("one of " + ", ".join(accepted))
        return str(value)
    return parse


def _yes(value: Any) -> bool:
    known = {True: True, False: False, "yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}
    if not isinstance(value, (bool, str)) or value not in known:
        raise ValueError("yes or no")
    return known[value]


def _list(value: Any) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not 1 <= len(items) <= 100:
        raise ValueError("a list of 1 to 100 items (in a query: separated by commas)")
    if not all(isinstance(item, (str, int)) and str(item) for item in items):
        raise ValueError("a list of texts")
    return tuple(str(item) for item in items)


def _sizes(value: Any) -> tuple[int, ...]:
    items = [value] if isinstance(value, int) else _list(value)
    return tuple(_whole(1, MAX_BYTES)(item) for item in items)


def _part(value: Any) -> tuple[int, int]:
    number, _, parts = str(value).partition("/")
    found = _whole(1, 1000)(number), _whole(1, 1000)(parts)
    if found[0] > found[1]:
        raise ValueError("a part such as 3/10")
    return found


def _base64(value: Any) -> bytes:
    try:
        data = base64.b64decode(_text(value), validate=True)
    except binascii.Error:
        raise ValueError("bytes in base64") from None
    if not data or len(data) > MAX_BYTES:
        raise ValueError(f"1 to {MAX_BYTES} bytes in base64")
    return data


@dataclass(frozen=True)
class Parameter:
    """How one parameter is read, what it is when left out (REQUIRED: it may not be), and what it means."""
    parse: Callable[[Any], Any]
    default: Any
    help: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Control:
    """A name of `CONTROLS`: what it does, and its parameters beside the scope."""
    help: str
    parameters: dict[str, Parameter] = field(default_factory=dict)
    stays: bool = False


SCOPE = {
    "terminal": Parameter(_text, None, "only this TerminalID"),
    "port": Parameter(_choice(*PORTS), None, "only this port: primary or secondary", PORTS),
}
TIMES = Parameter(_whole(1, 1_000_000), None, "how often; left out: until reset")
_ON = Parameter(_choice(*MESSAGES), None, "registration, ack or transaction; left out: all three", MESSAGES)
_YES_NO = ("yes", "no")
_AMOUNTS = Parameter(_list, REQUIRED, "amounts of the sales, such as 2.50,3.00")
_REFS = Parameter(_list, None, "their RefIDs; left out: new ones")
_BYTES = {
    "data": Parameter(_base64, None, "the bytes, in base64"),
    "text": Parameter(_text, None, "or as text"),
}

CONTROLS: dict[str, Control] = {
    # actions
    "drop": Control("close the open connections in scope", {
        "part": Parameter(_part, None, "only a part of the terminals, such as 3/10: the third tenth; each is in one "
                                       "part, always the same")}),
    "rst": Control("end the open connections in scope with a TCP reset"),
    "raw": Control("send these bytes as they are", {
        **_BYTES, "times": Parameter(_whole(1, 1000), 1, "how often, one after the other")}),
    "garbage": Control("send random bytes", {
        "size": Parameter(_whole(1, MAX_BYTES), 64, "how many"),
        "seed": Parameter(_whole(0, 2 ** 32), 0, "the same seed gives the same bytes")}),
    "oversized": Control("send the beginning of a JSON message that does not end", {
        "size": Parameter(_whole(1, MAX_BYTES), 2 << 20, "bytes")}),
    "transactions": Control("send several sales in one segment and wait for none", {
        "amounts": _AMOUNTS, "refIDs": _REFS}),
    "duplicate": Control("send a transaction again, byte for byte", {
        "refID": Parameter(_text, None, "which; left out: the last one sent to the terminal"),
        "times": Parameter(_whole(1, 1000), 1, "how often")}),
    "stop-listening": Control("close a port: connections to it are refused", {
        "drop": Parameter(_yes, False, "close its open connections as well", _YES_NO)}),
    "stall": Control("accept nothing more at a port: its backlog fills up, then dials are dropped in silence", {
        "backlog": Parameter(_whole(1, 65_535), None, "connections that may wait; left out: as the system allows")}),
    "listen": Control("open a closed or stalled port again; what waited there is accepted"),
    "reset": Control("back to good behaviour: no faults in scope, both ports open", {
        "fault": Parameter(_text, None, "only the faults of this name")}),
    # faults
    "dead": Control("read nothing and answer nothing; the kernel still acknowledges, and what is asked for over HTTP "
                    "is still sent", stays=True),
    "ignore-heartbeats": Control("do not acknowledge heartbeats", stays=True),
    "hang": Control("take registrations and answer none; when this ends they are worked off, those whose terminals "
                    "gave up included", stays=True),
    "refuse": Control("refuse registrations", {
        "answer": Parameter(_text, "FAILED-REGISTRATION", "what to answer, such as FAILED-INVALID-TERMINAL-TYPE"),
        "close": Parameter(_yes, False, "and close the connection", _YES_NO)}, stays=True),
    "eot": Control("with or without EOT EOT behind what the cloud sends (otherwise: only behind acks)", {
        "on": _ON, "with": Parameter(_yes, True, "yes or no", _YES_NO)}, stays=True),
    "segments": Control("cut what the cloud sends into segments", {
        "on": _ON,
        "size": Parameter(_sizes, (1,), "bytes of each segment, such as 1 or 3,1,10; the last repeats"),
        "delay": Parameter(_seconds, 0.001, "seconds between them")}, stays=True),
    "delay": Control("wait before sending", {
        "on": _ON, "seconds": Parameter(_seconds, REQUIRED, "how long")}, stays=True),
    "glue": Control("put sales behind the registration answer or the ack, in the same segment", {
        "on": Parameter(_choice("registration", "ack"), "ack", "registration or ack", ("registration", "ack")),
        "amounts": _AMOUNTS, "refIDs": _REFS}, stays=True),
    "replace": Control("send other bytes in place of an ack or a transaction", {
        "on": Parameter(_choice("ack", "transaction"), "ack", "ack or transaction", ("ack", "transaction")),
        **_BYTES}, stays=True),
    "greet": Control("send bytes as soon as a connection is accepted", _BYTES, stays=True),
    "break": Control("end the connection at a step", {
        "on": Parameter(_choice(*STEPS), REQUIRED, "one of " + ", ".join(STEPS), STEPS),
        "how": Parameter(_choice("close", "rst", "dead"), "close", "close, rst, or dead: silent from then on",
                         ("close", "rst", "dead")),
        "after": Parameter(_whole(1, MAX_BYTES), None, "at the step request: after so many of its bytes"),
        "later": Parameter(_seconds, None, "close or rst: so many seconds after the step")}, stays=True),
    "inquire": Control("ask a terminal that has just registered what became of an old transaction", {
        "refID": Parameter(_text, None, "which; left out: its last one without an answer")}, stays=True),
    "keep-old": Control("leave the old connection open when a terminal registers again, and mark the terminal "
                        "offline when it ends", stays=True),
}


def parameters_of(control: Control) -> dict[str, Parameter]:
    """Every parameter that the control takes, its scope included."""
    return {**SCOPE, **({"times": TIMES} if control.stays else {}), **control.parameters}


def read(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of control `name` from what a caller gave, defaults filled in. Raises ControlError."""
    control = CONTROLS.get(name)
    if control is None:
        raise ControlError(f"no control {name[:40]!r}; there are " + ", ".join(CONTROLS))
    accepted = parameters_of(control)
    unknown = sorted(set(given) - set(accepted))
    if unknown:
        raise ControlError(f"{name} takes no {unknown[0][:40]!r}; it takes " + ", ".join(accepted))
    values = {}
    for key, parameter in accepted.items():
        if given.get(key) is None:
            if parameter.default is REQUIRED:
                raise ControlError(f"{name} needs {key}: {parameter.help}")
            values[key] = parameter.default
            continue
        try:
            values[key] = parameter.parse(given[key])
        except (ValueError, OverflowError) as mistake:
            raise ControlError(f"{name}: {key} must be {_accepted(mistake)}") from None
    if "data" in accepted and (values["data"] is None) == (values["text"] is None):
        raise ControlError(f"{name} needs either data (base64) or text")
    return values


def _accepted(mistake: Exception) -> str:
    """What a parser says it accepts; int() and float() speak of literals, which helps no one."""
    said = str(mistake)
    return "a number" if "literal" in said or "convert" in said else said


def payload(values: dict[str, Any]) -> bytes:
    """The bytes that `data` or `text` of these parameters stand for."""
    data: bytes | None = values["data"]
    return data if data is not None else str(values["text"]).encode("utf-8", "replace")


@dataclass
class Fault:
    """One standing fault: its name, its parameters, how many uses are left (None: no limit)."""
    name: str
    values: dict[str, Any]
    left: int | None

    def fits(self, terminal: str | None, port: str | None, on: str | None) -> bool:
        """Whether something of this terminal, port and message or step is in scope."""
        return (self.values["terminal"] in (None, terminal) and self.values["port"] in (None, port)
                and self.values.get("on") in (None, on))


class Faults:
    """The standing faults, newest last."""

    def __init__(self) -> None:
        self._active: list[Fault] = []

    def add(self, name: str, values: dict[str, Any]) -> Fault:
        """Starts fault `name` with parameters from `read`. Raises ControlError when there are too many."""
        if len(self._active) >= MAX_FAULTS:
            raise ControlError(f"{MAX_FAULTS} faults are active already; POST /sandbox/reset first")
        fault = Fault(name, values, values["times"])
        self._active.append(fault)
        return fault

    def find(self, name: str, terminal: str | None, port: str | None, on: str | None = None) -> Fault | None:
        """The newest fault that fits, not counted as used."""
        return next((f for f in reversed(self._active) if f.name == name and f.fits(terminal, port, on)), None)

    def take(self, name: str, terminal: str | None, port: str | None, on: str | None = None) -> Fault | None:
        """The newest fault that fits, used once."""
        fault = self.find(name, terminal, port, on)
        if fault is not None and fault.left is not None:
            fault.left -= 1
            if fault.left <= 0:
                self._active.remove(fault)
        return fault

    def clear(self, name: str | None = None, terminal: str | None = None, port: str | None = None) -> int:
        """Ends the faults of this name and exactly this scope (None: any); returns how many."""
        stay = [f for f in self._active if (name and f.name != name)
                or (terminal and f.values["terminal"] != terminal) or (port and f.values["port"] != port)]
        ended = len(self._active) - len(stay)
        self._active = stay
        return ended

    def listing(self) -> list[dict[str, Any]]:
        """The active faults for people: name, uses left, and the parameters that differ from "left out"."""
        return [{"fault": f.name, "left": f.left,
                 **{k: v if not isinstance(v, bytes) else f"{len(v)} bytes" for k, v in f.values.items()
                    if v is not None and k != "times"}} for f in self._active]
