"""The display page: the template in display/ with the state filled in, so that it is right without JavaScript too.

The page itself follows the events and puts the same words together; keep `view` and the script's `show` alike.
"""
import base64
import hashlib
import re
from html import escape
from pathlib import Path
from string import Template

from econduit_terminal.contract.reason import Reason
from econduit_terminal.contract.status import Status

from ..status.words import named

_SOURCE = (Path(__file__).parent / "display" / "index.html").read_text(encoding="utf-8")
_TEMPLATE = Template(_SOURCE)


def _hashes(tag: str) -> str:
    blocks = re.findall(rf"<{tag}>(.*?)</{tag}>", _SOURCE, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() for block in blocks)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


# Only the page's own script and style run, by their hashes; it talks to nobody but the agent, and no frame shows it.
HEADERS = [("Content-Security-Policy", "default-src 'none'; img-src data:; connect-src 'self'; base-uri 'none'; "
                                       "form-action 'none'; frame-ancestors 'none'; "
                                       f"script-src {_hashes('script')}; style-src {_hashes('style')}")]


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
