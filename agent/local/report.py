"""The watchdog's report as it arrives at `POST /network`: bytes in, a whole and safe dict out. PURE.

Rules
- `verdict` alone is required; a key that is missing gets its default, so that a reader may rely on every key.
- `beyond` and `network` are null where the watchdog cannot tell.
- Unknown keys are ignored (a newer watchdog may say more); a wrong type is refused with the field's name.
- Text goes on to the display and the log: no control characters, limited length. Lists are limited too.
"""
import ipaddress
import json

from econduit_terminal.process.text import clean

MAX_TEXT = 200
MAX_ITEMS = 64
MAX_INTERFACE_NAME = 15  # IFNAMSIZ - 1, linux/if.h
PATHS = ("works", "dead", "unknown")
KINDS = ("ethernet", "wifi", "other")


class ReportError(ValueError):
    """What is wrong with the request's body, and what is accepted."""


def parse_object(body: bytes) -> dict:
    """The body as a JSON object; an empty body is an empty object."""
    if not body.strip():
        return {}
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except ReportError:
        raise
    except UnicodeDecodeError:
        raise ReportError("the body is not UTF-8; send a JSON object in UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise ReportError(f"the body is not JSON ({clean(str(error), 80)}); send a JSON object") from None
    if not isinstance(value, dict):
        raise ReportError(f"the body is {_called(value)}; send a JSON object")
    return value


def parse_report(body: bytes) -> dict:
    """A network report with every key present. Raises ReportError, nothing else."""
    given = parse_object(body)
    verdict = _text(given, "verdict", "")
    if not verdict:
        raise ReportError('verdict: missing or empty, expected text such as "online" or "cable unplugged"')
    return {
        "verdict": verdict,
        "detail": _text(given, "detail", ""),
        "usable": _flag(given, "usable", True),
        "path": _one_of(given, "path", PATHS, "unknown"),
        "bind": _interface(given, "bind"),
        "lost": _lost(given),
        "dial": _flag(given, "dial", False),
        "verify": _flag(given, "verify", False),
        "interfaces": _interfaces(given),
        "addresses": _addresses(given),
        "beyond": _typed(given, "beyond", bool, "true, false or null"),
        "network": _text(given, "network", "") or None,
        "open": _texts(given, "open"),
        "sent": _text(given, "sent", "") or None,
    }


def _lost(given: dict) -> dict[str, str]:
    lost = _typed(given, "lost", dict, "an object of address: reason") or {}
    _limited(lost, "lost")
    return {clean(address): _text(lost, address, "", "lost.") for address in lost}


def _interfaces(given: dict) -> list[dict]:
    found = []
    for number, interface in enumerate(_list(given, "interfaces")):
        where = f"interfaces[{number}]"
        if not isinstance(interface, dict):
            raise ReportError(f"{where}: {_called(interface)}, expected an object")
        where += "."
        found.append({
            "name": _text(interface, "name", "", where),
            "kind": _one_of(interface, "kind", KINDS, "other", where),
            "usable": _flag(interface, "usable", False, where),
            "state": _text(interface, "state", "", where),
            "addresses": _texts(interface, "addresses", where),
        })
    return found


def _addresses(given: dict) -> dict[str, list[str]]:
    """Name → the addresses that the watchdog knows for it. They may be dialed: nothing but addresses is taken."""
    known = _typed(given, "addresses", dict, "an object of name: list of addresses") or {}
    _limited(known, "addresses")
    found = {}
    for name in known:
        found[clean(name)] = _texts(known, name, "addresses.")
        for address in found[clean(name)]:
            try:
                ipaddress.ip_address(address)
            except ValueError:
                raise ReportError(f"addresses.{clean(name, 60)}: {clean(address, 60)!r} is no IP address") from None
    return found


def _interface(given: dict, key: str) -> str | None:
    name = _typed(given, key, str, "an interface's name or null")
    if not name:
        return None
    if len(name.encode("utf-8", "replace")) > MAX_INTERFACE_NAME or "/" in name or clean(name) != name or " " in name:
        raise ReportError(f"{key}: {clean(name, 40)!r} is not an interface's name, expected one such as eth0, or null")
    return name


def _text(given: dict, key: str, default: str, where: str = "") -> str:
    value = _typed(given, key, str, "text", where)
    return default if value is None else clean(value, MAX_TEXT)


def _flag(given: dict, key: str, default: bool, where: str = "") -> bool:
    value = _typed(given, key, bool, "true or false", where)
    return default if value is None else value


def _one_of(given: dict, key: str, accepted: tuple[str, ...], default: str, where: str = "") -> str:
    value = _text(given, key, default, where)
    if value not in accepted:
        raise ReportError(f"{where}{key}: {clean(value, 40)!r}, expected one of {', '.join(accepted)}")
    return value


def _list(given: dict, key: str, where: str = "") -> list:
    value = _typed(given, key, list, "a list", where) or []
    _limited(value, where + clean(key, 60))
    return value


def _texts(given: dict, key: str, where: str = "") -> list[str]:
    texts = _list(given, key, where)
    for text in texts:
        if not isinstance(text, str):
            raise ReportError(f"{where}{clean(key, 60)}: holds {_called(text)}, expected text only")
    return [clean(text) for text in texts]


def _typed(given: dict, key: str, kind: type, expected: str, where: str = ""):
    """The value of that type, or None where it is missing or null."""
    value = given.get(key)
    if value is not None and not isinstance(value, kind):
        raise ReportError(f"{where}{clean(key, 60)}: {_called(value)}, expected {expected}")
    return value


def _limited(items, where: str) -> None:
    if len(items) > MAX_ITEMS:
        raise ReportError(f"{where}: {len(items)} entries, expected {MAX_ITEMS} at most")


def _called(value) -> str:
    """The value's JSON type, for people."""
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), "null")


def _refuse_constant(name: str):
    raise ReportError(f"the body holds {name}, which is not JSON; send a JSON object")
