"""The agent's state in words for a person at a terminal. PURE: the time is an argument."""
from collections.abc import Iterable, Mapping
from datetime import datetime

from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.status import EndpointStatus, Outcome, Phase, Status

from ..status.words import named

GREEN, RED, PLAIN = "\033[1;32m", "\033[1;31m", "\033[0m"
WIDTH = 14


def table(rows: Iterable[tuple[str, object]]) -> str:
    """(name, value) in two columns; rows without a value are left out."""
    return "\n".join(f"  {name:<{WIDTH}}{value}" for name, value in rows if value not in (None, ""))


def headline(status: Status, colour: bool) -> str:
    """`POS Online` in green or `POS Offline: why` in red."""
    words = status.display if status.online or not status.reason else f"{status.display}: {status.reason}"
    return f"{GREEN if status.online else RED}{words}{PLAIN}" if colour else words


def full(status: Status, now: datetime, colour: bool) -> str:
    """All that support asks for first."""
    rows = [
        ("since", _when(status.since, now)),
        ("terminal ID", status.terminal_id or "not set"),
        ("endpoint", status.endpoint),
        *(("last dial", _dialed(found)) for found in status.endpoints if found.outcome is not Outcome.UNTRIED),
        ("interface", _interface(status)),
        ("last ack", _when(status.last_ack, now)),
        ("next dial", None if status.retry_in is None else f"in {duration(status.retry_in)}"),
        ("connects", status.connects),
        ("disconnects", _counts(status.disconnects) or 0),
        ("transactions", _counts(status.transactions) + ("" if status.idle else " (one in progress)")),
        ("network", _network(status.network)),
        ("agent", f"{status.version}, process {status.pid}"),
        *(("problem", named(name, text)) for name, text in status.problems.items()),
    ]
    return f"{headline(status, colour)}\n{table(rows)}"


def line(status: Status, now: datetime, colour: bool) -> str:
    """One change, for `watch`."""
    parts = [headline(status, colour)]
    if status.online:
        parts.append(f"{status.endpoint} over {_interface(status)}")
    elif status.retry_in is not None:
        parts.append(f"next dial in {duration(status.retry_in)}")
    elif status.phase not in (Phase.WAITING, Phase.ONLINE) and status.phase.value != status.reason:
        parts.append(status.phase.value)
    if not status.idle:
        parts.append("transaction in progress")
    parts += [named(name, text) for name, text in status.problems.items()]
    return f"{clock(now)}  " + " · ".join(parts)


def clock(now: datetime) -> str:
    return now.astimezone().strftime("%H:%M:%S.%f")[:-3]


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `4 d 1 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    seconds = round(seconds)
    for size, unit, smaller, lesser in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size} {unit}" + (f" {rest} {lesser}" if rest else "")
    return f"{seconds} s"


def _when(stamp: str | None, now: datetime) -> str | None:
    if not stamp:
        return None
    try:
        moment = datetime.fromisoformat(stamp).astimezone()
    except (ValueError, OverflowError):
        return stamp
    ago = max(0.0, (now - moment).total_seconds())
    return f"{moment.strftime('%Y-%m-%d %H:%M:%S')} ({duration(ago)})"


def _dialed(found: EndpointStatus) -> str:
    at = [address for address in found.addresses if address not in found.endpoint]
    return f"{found.endpoint}: {found.outcome.value}" + (f" ({', '.join(at)})" if at else "")


def _interface(status: Status) -> str:
    name, address = status.interface, status.local_address
    return f"{name} ({address})" if name and address else name or address or ""


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number)


def _network(report: NetworkReport | None) -> str:
    if report is None:
        return "no report from the watchdog"
    return ": ".join(part for part in (report.verdict, report.detail) if part)
