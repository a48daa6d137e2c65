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
- The watchdog knows of a refusal only from the agent: its report does not replace the agent's own.
- Where no name gave an address, no cloud was asked: no verdict about the cloud is shown.
- A login page is on this side of the line: finding "no internet" later does not make it less true.
- When the network comes back, what it did to the connection is over: `connecting`.
"""
import re

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import ONLINE, NetworkReport
from econduit_terminal.contract.reason import Reason, reason_of

from .policy import Cause

_REFUSALS = (Reason.REFUSED, Reason.REFUSED_TYPE, Reason.REFUSED_UNSAID)
_ABOUT_THE_CLOUD = (Reason.CLOUD_SILENT, Reason.BLOCKED_PORT)
_ANSWERED = (Cause.CUT, Cause.DOWN, Cause.CROWDED, Cause.NOT_THE_CLOUD, Cause.REFUSED, Cause.REJECTED)
_NAMELESS = (Reason.NO_DNS, Reason.WRONG_DNS, Reason.NO_DNS_OR_INTERNET, Reason.NO_NAME, Reason.NAME_SILENT)
"""There was nothing to dial."""
_HTTP = re.compile(r"HTTP/\d(?:\.\d)? +(\d{3})\b")
_PAGE = re.compile(r"\s*(?:<!DOCTYPE|<html|<head|<\?xml[^>]*>\s*<(?:!DOCTYPE )?html)", re.IGNORECASE)
_PROXY = "a proxy or login page of this network"


def something_else(endpoint: Endpoint, answer: str, shown: str) -> str:
    """For an answer to the registration that is none of the document's. shown: the part of it that people may see."""
    if status := _HTTP.match(answer):
        what = f"HTTP {status[1]}: {_PROXY}"
    elif _PAGE.match(answer):
        what = f"a web page: {_PROXY}"
    elif answer.startswith(("\x15\x03", "\x16\x03")):
        what = "TLS: check cloud.tls and the port"
    else:
        what = f"not the eConduit Cloud: {shown or 'nothing that can be read'}"
    return Reason.NOT_THE_CLOUD.text(endpoint, what)


def display(own: str, cause: Cause | None, network: NetworkReport, *, verdict_is_newer: bool) -> str:
    """The reason to show. own, cause: what the agent found last, None where that is over."""
    verdict = network.verdict
    judged = reason_of(verdict)
    answered = cause in _ANSWERED
    nothing_against = verdict == ONLINE or judged in (Reason.CONNECTING, *_REFUSALS)
    if nothing_against or own.startswith(f"{verdict}:"):
        return own
    if not network.usable:
        return verdict
    if judged in _ABOUT_THE_CLOUD:
        return own if answered or reason_of(own) in _NAMELESS else verdict
    if judged is Reason.NO_INTERNET and cause is Cause.NOT_THE_CLOUD:
        return own
    return own if answered and not verdict_is_newer else verdict
