"""PURE: the kinds of value a setting can have, each with the words that say what it accepts.

A kind turns the text of an INI file into a value, or raises `ValueError` saying what is wrong with the text. What
would be accepted is said once, in `Kind.accepts`: error messages, the comments of the shipped INI files (a test
compares them) and with those the manual page all use it.

Numbers are matched by pattern before Python sees them: `int()` and `float()` would take `1_000`, `inf`, `nan`
and digits of other scripts.
"""
import ipaddress
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

_COMMENT = re.compile(r"(?:\A|\s)(?:;|#(?:\s|\Z))")
_COMMENT_BEHIND = re.compile(r"\s(?:;|#\s)")
"""What 1.0.0 refused in a text, and no more: its settings are accepted for good."""
UNIX_PATH_MAX = 107  # sun_path holds 108 bytes, the last of them is NUL
TEXT_MAX = 128

Number = TypeVar("Number", int, float)
_SECONDS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400}
_BYTES = {"B": 1, "KiB": 1024, "MiB": 1024 * 1024}
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)", re.ASCII)
_QUOTES = {'"': '"', "'": "'", "“": "”", "”": "”", "‘": "’"}


class Kind(NamedTuple):
    """One kind of value: `parse` raises ValueError with what is wrong; `accepts` completes "accepted: …".

    `holds_comment`: whether a value has taken in a comment behind it, where `parse` lets it."""

    parse: Callable[[str], Any]
    accepts: str
    holds_comment: Callable[[Any], bool] = lambda value: False


class Endpoint(NamedTuple):
    """A host (name, IPv4 or IPv6 address, the last without brackets) and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Application:
    """Where the payment application is reached: `kind` says which one of the other three is filled."""

    kind: str  # "tcp", "unix" or "exec"
    endpoint: Endpoint | None = None
    path: str | None = None
    argv: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "tcp":
            return f"tcp://{self.endpoint}"
        return f"unix://{self.path}" if self.kind == "unix" else f"exec:{shlex.join(self.argv)}"


def parse_duration(text: str) -> float:
    """Seconds in `250ms 5s 2min 24h 1d`."""
    return _with_unit(text, _SECONDS, "60s")


def parse_size(text: str) -> int:
    """Bytes in `512B 64KiB 1MiB`."""
    size = _with_unit(text, _BYTES, "64KiB")
    if size != int(size):
        raise ValueError(f"{text!r} is not a whole number of bytes")
    return int(size)


def show_duration(seconds: float) -> str:
    """The shortest exact way to write a duration: `0.25` is `250ms`, `86400` is `1d`."""
    milliseconds = round(seconds * 1000)
    for unit in ("d", "h", "min", "s"):
        if milliseconds and milliseconds % (_SECONDS[unit] * 1000) == 0:
            return f"{milliseconds // (_SECONDS[unit] * 1000)}{unit}"
    return f"{milliseconds}ms"


def parse_endpoint(text: str) -> Endpoint:
    """`host:port`, `192.0.2.1:port` or `[2001:db8::1]:port`; raises ValueError for anything else."""
    if "://" in text:
        raise ValueError(f"{text!r} is a URL: leave out {text.partition('://')[0]}://")
    host, colon, port = text.rpartition(":")
    if not colon or not host or port.endswith("]"):
        raise ValueError(f"{text!r} has no port" if text else "no host and port")
    if re.fullmatch(r"[0-9]{1,5}", port) is None or not 1 <= int(port) <= 65535:
        raise ValueError(f"{port!r} is not a port from 1 to 65535")
    if host.startswith("[") and host.endswith("]"):
        try:
            return Endpoint(str(ipaddress.IPv6Address(host[1:-1])), int(port))
        except ValueError:
            raise ValueError(f"{host[1:-1]!r} is not an IPv6 address") from None
    if ":" in host:
        raise ValueError(f"{text!r}: an IPv6 address goes in brackets, as in [2001:db8::1]:9001")
    return Endpoint(_host(host), int(port))


def parse_application(text: str) -> Application:
    """`tcp://host:port`, `unix:///path` or `exec:/path/to/program arguments` (quoted as in a shell)."""
    if text.startswith("tcp://"):
        return Application("tcp", endpoint=parse_endpoint(text.removeprefix("tcp://")))
    if text.startswith("unix://"):
        return Application("unix", path=parse_socket_path(text.removeprefix("unix://")))
    if text.startswith("exec:"):
        try:
            argv = tuple(shlex.split(text.removeprefix("exec:")))
        except ValueError as error:
            # Arguments are where people put passwords, and mistakes are shown to everybody.
            raise ValueError(f"the arguments after exec: cannot be told apart: {error}") from None
        if not argv:
            raise ValueError("no program after exec:")
        if not argv[0].startswith("/"):
            raise ValueError("the program after exec: is not an absolute path")
        return Application("exec", argv=argv)
    raise ValueError(f"{(text.split() or [''])[0]!r} does not say how to reach the application")


def parse_path(text: str) -> str:
    """An absolute path; relative ones would depend on where the program happened to be started."""
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is not an absolute path")
    return text


def parse_socket_path(text: str) -> str:
    """An absolute path that fits into the address of a Unix socket."""
    path = parse_path(text)
    if len(path.encode()) > UNIX_PATH_MAX:
        raise ValueError(f"{len(path.encode())} bytes are too long for a socket's path")
    return path


def duration(low: str, high: str, *, whole: bool = False) -> Kind:
    """Seconds from `low` to `high`; `whole` where the kernel counts in whole seconds."""
    lowest, highest = parse_duration(low), parse_duration(high)

    def parse(text: str) -> float:
        seconds = parse_duration(text)
        if whole and seconds != int(seconds):
            raise ValueError(f"{text!r} is not a whole number of seconds")
        return _in_range(text, seconds, lowest, highest)

    what = "a duration in whole seconds" if whole else "a duration"
    return Kind(parse, f"{what} from {low} to {high} (units ms, s, min, h, d)")


def size(low: str, high: str) -> Kind:
    """Bytes from `low` to `high`."""
    lowest, highest = parse_size(low), parse_size(high)
    return Kind(lambda text: _in_range(text, parse_size(text), lowest, highest),
                f"a size from {low} to {high} (units B, KiB, MiB)")


def whole(low: int, high: int) -> Kind:
    """A whole number from `low` to `high`."""

    def parse(text: str) -> int:
        if re.fullmatch(r"[+-]?[0-9]{1,18}", text) is None:
            raise ValueError(f"{text!r} is not a whole number")
        return _in_range(text, int(text), low, high)

    return Kind(parse, f"a whole number from {low} to {high}")


def choice(*names: str) -> Kind:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"{text!r} is not known")
        return text

    return Kind(parse, _or(names))


def optional(kind: Kind) -> Kind:
    """The same kind, or nothing: an empty value is None."""
    return Kind(lambda text: kind.parse(text) if text else None, f"{kind.accepts}; or empty",
                lambda value: value is not None and kind.holds_comment(value))


def list_of(kind: Kind, what: str) -> Kind:
    """A tuple of values with commas or blanks between them, none twice; empty is the empty tuple."""

    def parse(text: str) -> tuple[Any, ...]:
        values = tuple(kind.parse(item) for item in re.split(r"[,\s]+", text) if item)
        twice = next((value for n, value in enumerate(values) if value in values[:n]), None)
        if twice is not None:
            raise ValueError(f"{str(twice)!r} is there twice")
        return values

    return Kind(parse, f"{what}, with commas or blanks between them; or empty",
                lambda values: _comment_in(" ".join(map(str, values))))


def template(*names: str) -> Kind:
    """Text with `{name}` for each of `names`; other braces are text (JSON has many)."""

    def parse(text: str) -> str:
        if not text:
            raise ValueError("is empty")
        for name in re.findall(r"\{(\w+)\}", text):
            if name not in names:
                raise ValueError(f"{{{name}}} is not known")
        return text

    return Kind(parse, f"text on one line, in which {_or([f'{{{name}}}' for name in names])} are replaced")


def _parse_yes_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(f"{text!r} is neither")
    return text == "yes"


def _parse_text(text: str) -> str:
    if len(text) > TEXT_MAX:
        raise ValueError(f"{len(text)} characters are too many")
    if len(text) >= 2 and _QUOTES.get(text[0]) == text[-1]:
        raise ValueError("the quotes would be sent as part of the value: leave them out")
    if _COMMENT_BEHIND.search(text):
        raise ValueError("the comment would be sent as part of the value: put it on a line of its own")
    return text


def _parse_interface(text: str) -> str:
    if re.fullmatch(r"[^/:\s]{1,15}", text) is None or text in (".", ".."):
        raise ValueError(f"{text!r} cannot be the name of a network interface")
    return text


def _comment_in(text: str) -> bool:
    return _COMMENT.search(text) is not None


def _comment_behind(application: Application) -> bool:
    """One within an argument is quoted, and meant."""
    words = [argument for argument in application.argv if " " not in argument]
    return _comment_in(application.path or " ".join(words))


yes_no = Kind(_parse_yes_no, "yes or no")
text = Kind(_parse_text, f"text of up to {TEXT_MAX} characters, without quotes", _comment_in)
endpoint = Kind(parse_endpoint, "host:port, as in econduitapp.com:9001, 192.0.2.1:9001 or [2001:db8::1]:9001")
path = Kind(parse_path, "an absolute path", _comment_in)
socket_path = Kind(parse_socket_path, f"an absolute path of up to {UNIX_PATH_MAX} bytes", _comment_in)
interfaces = list_of(Kind(_parse_interface, "the name of a network interface"),
                     "names of network interfaces, as in eth0 wlan0")
endpoints = list_of(endpoint, "endpoints (host:port)")
application = Kind(parse_application,
                   "tcp://host:port, unix:///path/to/socket or exec:/path/to/program with its arguments",
                   _comment_behind)


def _with_unit(text: str, units: Mapping[str, float], example: str) -> float:
    match = re.fullmatch(r"([0-9]{1,12})(?:\.([0-9]{1,6}))?\s*([A-Za-z]*)", text)
    if match is None:
        raise ValueError(f"{text!r} is not a number with a unit, as in {example}")
    number, fraction, unit = match.groups()
    if not unit:
        raise ValueError(f"{text!r} has no unit, as in {example}")
    if unit not in units:
        raise ValueError(f"{unit!r} is not a unit: use {_or(tuple(units))}")
    return round(float(f"{number}.{fraction or 0}") * units[unit], 9)


def _in_range(text: str, value: Number, low: float, high: float) -> Number:
    if value < low:
        raise ValueError(f"{text!r} is too small")
    if value > high:
        raise ValueError(f"{text!r} is too large")
    return value


def _host(host: str) -> str:
    if not host.isascii():
        raise ValueError(f"{host!r}: write a name with letters beyond ASCII in its xn-- form")
    if re.fullmatch(r"[0-9.]+", host):  # never a name: the resolver would read 10.1 as 10.0.0.1
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise ValueError(f"{host!r} is not an IPv4 address") from None
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or any(_LABEL.fullmatch(label) is None for label in labels):
        raise ValueError(f"{host!r} cannot be the name of a host")
    return host


def _or(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
