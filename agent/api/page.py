"""The display page: the template in display/ with the state filled in, so that it is right without JavaScript too.

The page itself follows the events and puts the same words together; keep `view` and the script's `show` alike.
"""
from html import escape
from pathlib import Path
from string import Template

from econduit_terminal.contract.reason import Reason
from econduit_terminal.contract.status import Status
from econduit_terminal.process.browsers import content_policy

from ..status.words import named

_SOURCE = (Path(__file__).parent / "display" / "index.html").read_text(encoding="utf-8")
_TEMPLATE = Template(_SOURCE)
HEADERS = [content_policy(_SOURCE)]


def view(status: Status) -> dict[str, str]:
    """The words on the page for a status, by the id of the element that holds them."""
    reason, network = status.reason or "", status.network
    if status.online:
        why = "Connected to the eConduit Cloud"
        place = " · ".join(part for part in (status.endpoint, status.interface) if part)
    else:
        why = reason[:1].upper() + reason[1:]
        place = network.detail if network is not None and network.verdict == reason else ""
    return {
        "state": "online" if status.online else "offline",
        "display": status.display,
        "reason": why,
        "remedy": status.remedy,
        "activity": "" if status.idle else "Transaction in progress",
        "terminal": f"Terminal ID {status.terminal_id or 'not set'}",
        "place": place,
        "since": "since " + status.since[:19].replace("T", " ") + " UTC",
        "notice": " · ".join(named(name, text) for name, text in status.problems.items()),
    }


def render(status: Status) -> bytes:
    """The whole page, UTF-8; it knows beforehand what to do when the agent no longer says anything."""
    words = {**view(status), "silent": Reason.AGENT_SILENT.remedy, "gone": Reason.AGENT_GONE.remedy}
    return _TEMPLATE.substitute({name: escape(text) for name, text in words.items()}).encode()
