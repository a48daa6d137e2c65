"""What is dialed, and what comes of it: the values between the dialer and those who decide about endpoints."""
import socket as std
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from econduit_terminal.conf.values import Endpoint

from .endpoints import Address
from .policy import Finding


@dataclass(frozen=True)
class Target:
    """An endpoint to dial.

    hold: seconds before which it is not to be dialed. known: addresses to dial at once. spare: those to dial when the
    name gives none, or none soon. doubted: those to dial last. mss: the largest TCP segment, where the
    path is known to lose longer ones. answer: seconds for the TLS handshake.
    """
    endpoint: Endpoint
    hold: float = 0.0
    known: Sequence[Address] = ()
    spare: Sequence[Address] = ()
    doubted: Sequence[Address] = ()
    mss: int | None = None
    answer: float = 10.0


@dataclass(frozen=True)
class EndpointFailure:
    """What a dial met at an endpoint that did not open (or, Finding.TLS, at `address`, which opened to no avail).

    at: monotonic seconds, when it was met.
    """
    finding: Finding
    reason: str
    address: Address | None = None
    at: float = field(default_factory=time.monotonic, compare=False)


@dataclass(frozen=True)
class DialResults:
    """What a dial learned besides the connection.

    failures: endpoints that did not open. addresses: what each endpoint's name and memory gave. named: the
    addresses that a name holds now, of those that were looked up.
    """
    failures: Mapping[Endpoint, EndpointFailure] = field(default_factory=dict)
    addresses: Mapping[Endpoint, Sequence[Address]] = field(default_factory=dict)
    named: Mapping[Endpoint, Sequence[Address]] = field(default_factory=dict)


class DialFailed(Exception):
    """No endpoint could be reached; `results.failures` has one entry at least. The text is for people."""

    def __init__(self, results: DialResults):
        super().__init__("; ".join(dict.fromkeys(failure.reason for failure in results.failures.values())))
        self.results = results


@dataclass(frozen=True)
class Dialed:
    """An open connection, on which nothing was sent yet; `seconds` the dial took. `address`: what was dialed."""
    socket: std.socket
    endpoint: Endpoint
    seconds: float
    address: Address | None = None
    results: DialResults = field(default_factory=DialResults)
