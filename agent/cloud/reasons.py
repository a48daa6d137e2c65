"""PURE. Why there is no connection, in words for people, and which of two reasons is shown.

The watchdog knows the terminal's network, the agent what answered its dials. Neither is shown once it is disproved:

| the watchdog's verdict          | the agent met an answer, later | an answer, earlier | silence, or nothing yet     |
|---------------------------------|--------------------------------|--------------------|-----------------------------|
| no interface is usable          | verdict                        | verdict            | verdict                     |
| online, connecting              | own                            | own                | own                         |
| about the cloud                 | own                            | own                | verdict                     |
| about the line (no internet, …) | own                            | verdict            | verdict; own where it is    |
|                                 |                                |                    | the verdict and its details |

- "Later" and "earlier" compare with the moment when the verdict became what it is.
- A refusal the watchdog can have from the agent alone: it is not taken back from there.
- Where no name gave an address, no cloud was asked: no verdict about the cloud is shown.
- A login page lies on this side of the line: that "no internet" is found later does not make it less true.
- When the network comes back, what it did to the connection is over: `connecting`.
"""
import re
from typing import Any

from .network import CLOUD_VERDICTS, NOTHING_AGAINST, Network
from .policy import Cause

STARTING = "starting"
CONNECTING = "connecting"
REFUSED = "registration refused"
NO_INTERNET = "no internet"
_ANSWERED = (Cause.CUT, Cause.DOWN, Cause.CROWDED, Cause.NOT_THE_CLOUD, Cause.REFUSED, Cause.REJECTED)
_NAMELESS = ("no DNS", "name ")
"""How a dial's reason begins when there was nothing to dial."""
_HTTP = re.compile(r"HTTP/\d(?:\.\d)? +(\d{3})\b")
_PAGE = re.compile(r"\s*(?:<!DOCTYPE|<html|<head|<\?xml[^>]*>\s*<(?:!DOCTYPE )?html)", re.IGNORECASE)
_PROXY = "a proxy or login page of this network"


def something_else(endpoint: Any, answer: str, shown: str) -> str:
    """For an answer to the registration that is none of the document's. shown: the part of it that people may see."""
    begins = f"{endpoint} is answered by something else"
    if status := _HTTP.match(answer):
        return f"{begins}, HTTP {status[1]}: {_PROXY}"
    if _PAGE.match(answer):
        return f"{begins}, a web page: {_PROXY}"
    if answer.startswith(("\x15\x03", "\x16\x03")):
        return f"{begins}, TLS: check cloud.tls and the port"
    return f"{begins}, not the eConduit Cloud: {shown or 'nothing that can be read'}"


def display(own: str, cause: Cause | None, network: Network, *, verdict_is_newer: bool) -> str:
    """The reason to show. own, cause: what the agent found last, None where that is over."""
    verdict = network.verdict
    answered = cause in _ANSWERED
    if verdict in NOTHING_AGAINST or verdict.startswith(REFUSED) or own.startswith(f"{verdict}:"):
        return own
    if not network.usable:
        return verdict
    if verdict.startswith(CLOUD_VERDICTS):
        return own if answered or own.startswith(_NAMELESS) else verdict
    if verdict.startswith(NO_INTERNET) and cause is Cause.NOT_THE_CLOUD:
        return own
    return own if answered and not verdict_is_newer else verdict
