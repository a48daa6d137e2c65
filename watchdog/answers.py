"""What one round of probes found: gateway, names, name servers, endpoints, reference hosts. PURE."""
from itertools import chain
from typing import NamedTuple

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.status import Outcome

ALIVE = frozenset({Outcome.OPEN, Outcome.REFUSED})
"""Outcomes of a dial that prove a host: any answer of its own does, a refusal too."""


class Finding(NamedTuple):
    """What a dial found at an endpoint. ``addresses``: those that gave this outcome. ``genuine``: the endpoint itself
    can stand there, and not only something that answers in its place. ``offender``: the router that rejected."""

    endpoint: Endpoint
    outcome: Outcome = Outcome.UNTRIED
    addresses: tuple[str, ...] = ()
    genuine: bool = True
    offender: str | None = None
    probed: bool = False

    def __str__(self) -> str:
        by = f" ({self.offender})" if self.offender else ""
        return f"{self.endpoint}: {self.outcome.value}{by}"


class NameFound(NamedTuple):
    """What a lookup found. ``addresses``: those that are known of it, asked now or before. ``answered``: it was
    answered now, with one of these. ``disbelieved``: it was answered with this, which cannot be the host's. ``denied``:
    a name server said that there is no such name."""

    host: str
    addresses: tuple[str, ...] = ()
    answered: bool = False
    disbelieved: str | None = None
    denied: bool = False


class ServerFound(NamedTuple):
    """A name server. ``alive``: its host answers. ``said``: what it answered to a question (dns.py), None: nothing.
    ``beyond``: it stands in the internet, not on this side of the gateway."""

    address: str
    alive: bool = False
    said: str | None = None
    beyond: bool = False

    def __str__(self) -> str:
        return f"{self.address} {self.words}"

    @property
    def words(self) -> str:
        if self.said is not None:
            return f"answers with {self.said}"
        return "answers no question" if self.alive else "does not answer"


class Answers(NamedTuple):
    """One round. None and empty: there was nothing of that kind to ask. ``gateway``: it answers. ``references``: (name,
    it answers). ``elsewhere``: another usable interface over which something beyond the gateway answered."""

    gateway: bool | None = None
    names: tuple[NameFound, ...] = ()
    servers: tuple[ServerFound, ...] = ()
    endpoints: tuple[Finding, ...] = ()
    references: tuple[tuple[str, bool], ...] = ()
    elsewhere: str | None = None

    @property
    def witness(self) -> str | None:
        """Something behind the gateway, no endpoint, that answered over the way that a dial takes."""
        servers = (f"name server {server.address}" for server in self.servers if server.alive and server.beyond)
        references = (name for name, alive in self.references if alive)
        return next(chain(references, servers), None)

    @property
    def beyond(self) -> bool | None:
        """Whether there is such a witness; None: there was nothing to ask that could be one."""
        asked = bool(self.references) or any(server.beyond for server in self.servers)
        return self.witness is not None if asked else None

    @property
    def nameless(self) -> bool:
        """There are names, and none was answered with an address that can be right."""
        return bool(self.names) and not any(name.answered for name in self.names)
