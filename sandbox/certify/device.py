"""What is declared of a device: device.toml. PURE; whoever reads the file hands the text over.

`KEYS` is the whole of it: each key with its kind, its default and the comment that `econduit-certify init` writes.
Every mistake is reported, in one go, with its line and key.
"""
import difflib
import json
import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from econduit_terminal.sandbox.certify.table.model import Need
from econduit_terminal.sandbox.certify.toml_lines import Mistake, lines_of, read


class Format(Enum):
    """The payment application's own message format."""

    JSON = "json"
    XML = "xml"
    STX = "stx"


class Ack(Enum):
    """Which AckHeartbeat the device registers with."""

    TRUE = "true"
    FALSE = "false"
    BOTH = "both"


class Kind(Enum):
    """What a key accepts, in words."""

    TEXT = "a text in quotes"
    FORMAT = "\"json\", \"xml\" or \"stx\""
    ACK = "\"true\", \"false\" or \"both\""
    DURATION = "a duration in quotes, such as \"500ms\", \"60s\", \"2min\" or \"1h\""
    FLAG = "true or false, without quotes"
    URL = "an address such as \"http://127.0.0.1:8650/status\", or \"\""
    COMMAND = "a command in quotes, or \"\""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of device.toml."""

    name: str
    kind: Kind
    default: str | bool
    comment: str


KEYS: dict[str, tuple[Key, ...]] = {
    "device": (
        Key("terminal_type", Kind.TEXT, "", "TerminalType that it registers with; empty: not compared"),
        Key("terminal_id", Kind.TEXT, "", "TerminalID, its serial number; empty: not compared"),
        Key("format", Kind.FORMAT, "json", "json | xml | stx: the payment application's own"),
        Key("secondary", Kind.FLAG, True, "it knows a second endpoint"),
        Key("wifi", Kind.FLAG, False, "it has Wi-Fi"),
        Key("cable", Kind.FLAG, True, "it has a network cable"),
        Key("heartbeat", Kind.DURATION, "60s", "what it is meant to send when idle"),
        Key("ack", Kind.ACK, "true", "true | false | both: AckHeartbeat that it registers with"),
        Key("transaction", Kind.DURATION, "10s", "the longest time its application takes for a sale"),
        Key("retry", Kind.DURATION, "60s", "the longest time after which it comes back from a refusal"),
    ),
    "display": (
        Key("present", Kind.FLAG, True, "it has a display for the user"),
        Key("url", Kind.URL, "", "JSON with display, color, online, runs; without it the person is asked"),
    ),
    "application": (
        Key("echo", Kind.FLAG, False, "its answers tell what it was handed (payment-app --echo does): RefID, AuthCode "
            "(counts its runs), RequestBytes, RequestSHA256; it honours AnswerBytes and Delay"),
        Key("request", Kind.TEXT, "", "without echo: a request that it understands, with {RefID} where a new reference "
            "goes"),
        Key("counter", Kind.COMMAND, "", "without echo: a command that prints how many transactions it has run"),
    ),
    "hooks": (
        Key("cable_out", Kind.COMMAND, "", "commands instead of prompts; exit status 0 means done"),
        Key("cable_in", Kind.COMMAND, "", "the cable is back"),
        Key("wifi_out", Kind.COMMAND, "", "Wi-Fi out of range"),
        Key("wifi_in", Kind.COMMAND, "", "and back"),
        Key("uplink_out", Kind.COMMAND, "", "the internet away behind the router, the cable stays"),
        Key("uplink_in", Kind.COMMAND, "", "and back"),
        Key("restart", Kind.COMMAND, "", "starts the device again"),
        Key("ack_false", Kind.COMMAND, "", "with ack = \"both\": makes it register with AckHeartbeat \"false\""),
        Key("ack_true", Kind.COMMAND, "", "and with \"true\" again"),
    ),
}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
LIMITS = {"heartbeat": (0.2, 3600.0), "transaction": (0.1, 600.0), "retry": (1.0, 3600.0)}


@dataclass(frozen=True, slots=True)
class Device:
    """The declaration; times in seconds."""

    terminal_type: str = ""
    terminal_id: str = ""
    format: Format = Format.JSON
    secondary: bool = True
    wifi: bool = False
    cable: bool = True
    heartbeat: float = 60.0
    ack: Ack = Ack.TRUE
    transaction: float = 10.0
    retry: float = 60.0
    display: bool = True
    display_url: str = ""
    echo: bool = False
    request: str = ""
    counter: str = ""
    hooks: dict[str, str] = field(default_factory=dict)

    def absent(self) -> frozenset[Need]:
        """What a case may need and this device does not have."""
        lacking = {Need.SECONDARY: not self.secondary, Need.DISPLAY: not self.display, Need.WIFI: not self.wifi,
                   Need.CABLE: not self.cable, Need.ACK: self.ack is Ack.FALSE, Need.NO_ACK: self.ack is Ack.TRUE,
                   Need.STX: self.format is not Format.STX}
        return frozenset(need for need, lacks in lacking.items() if lacks)

    def shown(self) -> dict[str, Any]:
        """For result.json: the declaration as JSON values."""
        return {"terminal_type": self.terminal_type, "terminal_id": self.terminal_id, "format": self.format.value,
                "secondary": self.secondary, "wifi": self.wifi, "cable": self.cable, "heartbeat": self.heartbeat,
                "ack": self.ack.value, "transaction": self.transaction, "retry": self.retry, "display": self.display,
                "display_url": self.display_url, "echo": self.echo, "hooks": sorted(self.hooks)}


def parse(text: str) -> tuple[Device, list[Mistake]]:
    """The declaration, and every mistake in it, in the order of lines. With mistakes, the Device is not to be used."""
    found, mistakes = read(text.removeprefix("\ufeff"))
    lines = lines_of(text.removeprefix("\ufeff"))
    values: dict[str, dict[str, Any]] = {table: {} for table in KEYS}
    for table, content in found.items():
        if table not in KEYS:
            known = [*KEYS, *(key.name for keys in KEYS.values() for key in keys)]
            home = next((name for name, keys in KEYS.items() if table in {key.name for key in keys}), None)
            hint = f"; {table} belongs in [{home}]" if home else _hint(table, known)
            what = "table" if isinstance(content, dict) else "key outside of any table"
            mistakes.append(Mistake(_line(lines, table), table, f"unknown {what}{hint}; there are "
                                    + ", ".join(f"[{name}]" for name in KEYS)))
        elif not isinstance(content, dict):
            mistakes.append(Mistake(_line(lines, table), table, f"a table is wanted: [{table}] and its keys below"))
        else:
            mistakes += _read_table(table, content, values[table], lines)
    mistakes += _between(values, lines)
    return _device(values), sorted(mistakes, key=lambda mistake: (mistake.line, mistake.key))


def _read_table(table: str, content: dict[str, Any], values: dict[str, Any], lines: dict[str, int]) -> list[Mistake]:
    keys = {key.name: key for key in KEYS[table]}
    mistakes = []
    for name, value in content.items():
        where = f"{table}.{name}"
        line = _line(lines, where, table)
        if name not in keys:
            other = next((t for t, ks in KEYS.items() if name in {key.name for key in ks}), None)
            hint = f"; it belongs in [{other}]" if other else _hint(name, list(keys))
            mistakes.append(Mistake(line, where, f"unknown key{hint}; [{table}] has {', '.join(keys)}"))
            continue
        try:
            values[name] = _value(keys[name], value)
        except ValueError as problem:
            mistakes.append(Mistake(line, where, f"{problem}; accepted: {keys[name].kind.value}"))
    return mistakes


def _value(key: Key, value: Any) -> Any:
    """Raises ValueError with what is wrong."""
    shown = _spelled(value)[:80]
    if key.kind is Kind.FLAG:
        if not isinstance(value, bool):
            raise ValueError(f"{shown} is neither true nor false")
        return value
    if not isinstance(value, str):
        raise ValueError(f"{shown} is no text")
    if any((ord(char) < 32 and char not in "\t\n") or ord(char) == 127 for char in value):
        raise ValueError(f"{shown} has control characters in it")
    match key.kind:
        case Kind.FORMAT | Kind.ACK:
            kind = Format if key.kind is Kind.FORMAT else Ack
            if value not in {member.value for member in kind}:
                raise ValueError(f"{shown} is none of these{_hint(value.lower(), [member.value for member in kind])}")
            return kind(value)
        case Kind.DURATION:
            match = _DURATION.fullmatch(value.strip())
            if match is None:
                raise ValueError(f"{shown} is no duration"
                                 + (" (the unit is missing)" if value.strip().isdigit() else ""))
            seconds = float(match[1]) * _UNITS[match[2]]
            low, high = LIMITS[key.name]
            if not low <= seconds <= high:
                raise ValueError(f"{shown} is out of range ({low:g} s to {high:g} s)")
            return seconds
        case Kind.URL:
            if value and not re.fullmatch(r"http://(\[[0-9a-fA-F:.]+\]|[^\s/:@\[\]]+)(:\d{1,5})?(/\S*)?", value):
                raise ValueError(f"{shown} is no http address")
            port = re.match(r"http://(?:\[[^\]]*\]|[^/:]*):(\d+)", value)
            if port and not 0 < int(port[1]) < 65536:
                raise ValueError(f"{shown}: there is no port {port[1]}")
            return value
        case Kind.TEXT if "\n" in value and key.name != "request":
            raise ValueError(f"{shown} has more than one line")
    return value


def _spelled(value: Any) -> str:
    """A value as the file has it, near enough."""
    match value:
        case bool():
            return "true without quotes" if value else "false without quotes"
        case int() | float():
            return f"the number {value}"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return "a list"
        case dict():
            return "a table"
    return f"the date or time {value}"


def _between(values: dict[str, dict[str, Any]], lines: dict[str, int]) -> list[Mistake]:
    """What is wrong only together."""
    mistakes = []
    if values["application"].get("echo") and values["application"].get("request"):
        mistakes.append(Mistake(_line(lines, "application.request"), "application.request",
                                "with echo = true the examiner makes its own requests; leave one of both out"))
    request = values["application"].get("request")
    if request and "{RefID}" not in request:
        mistakes.append(Mistake(_line(lines, "application.request"), "application.request", "{RefID} is missing in it"))
    if values["display"].get("present") is False and values["display"].get("url"):
        mistakes.append(Mistake(_line(lines, "display.url"), "display.url", "a display that is not present has no url"))
    for out, back in (("cable_out", "cable_in"), ("wifi_out", "wifi_in"), ("uplink_out", "uplink_in"),
                      ("ack_false", "ack_true")):
        given = [name for name in (out, back) if values["hooks"].get(name)]
        if len(given) == 1:
            other = back if given[0] == out else out
            mistakes.append(Mistake(_line(lines, f"hooks.{given[0]}"), f"hooks.{given[0]}",
                                    f"hooks.{other} is missing beside it"))
    return mistakes


def _line(lines: dict[str, int], *places: str) -> int:
    return next((lines[place] for place in places if place in lines), 1)


def _hint(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, 1, 0.6)
    return f", did you mean {close[0]}?" if close else ""


def _device(values: dict[str, dict[str, Any]]) -> Device:
    given = values["device"] | values["application"]
    given |= {"display": values["display"].get("present", True), "display_url": values["display"].get("url", "")}
    return Device(**given, hooks={name: command for name, command in values["hooks"].items() if command})


def template(answers: dict[str, str] | None = None) -> str:
    """A device.toml with every key, its default and its comment; `answers`: "table.key" → TOML value."""
    lines = ["# What econduit-certify is told of the device under test. Every key may be left out."]
    for table, keys in KEYS.items():
        lines += ["", f"[{table}]"]
        for key in keys:
            default = {True: "true", False: "false"}.get(key.default) if isinstance(key.default,
                                                                                    bool) else f'"{key.default}"'
            lines.append(f"{key.name} = {(answers or {}).get(f'{table}.{key.name}', default)}".ljust(32)
                         + f"# {key.comment}")
    return "\n".join(lines) + "\n"
