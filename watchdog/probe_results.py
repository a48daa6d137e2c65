"""What one round of probes found: gateway, names, name servers, endpoints, reference hosts. PURE."""
from itertools import chain
from typing import NamedTuple

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.status import Outcome

ALIVE = frozenset({Outcome.OPEN, Outcome.REFUSED})
"""Outcomes of a dial that prove a host: any answer of its own does, a refusal too."""


class EndpointResult(NamedTuple):
    """What a dial found at an endpoint. `addresses`: those with this outcome. `genuine`: the endpoint can have one of
    them; else something answers in its place. `offender`: the router that rejected. `probed`: by us, not the agent."""

    endpoint: Endpoint
    outcome: Outcome = Outcome.UNTRIED
    addresses: tuple[str, ...] = ()
    genuine: bool = True
    offender: str | None = None
    probed: bool = False

    def __str__(self) -> str:
        by = f" ({self.offender})" if self.offender else ""
        return f"{self.endpoint}: {self.outcome.value}{by}"


class NameResult(NamedTuple):
    """What a lookup found. `addresses`: the known ones, from now or before. `answered`: DNS gave one of these now.
    `implausible`: DNS gave this, which the host cannot have. `denied`: a name server says that there is no such
    name."""

    host: str
    addresses: tuple[str, ...] = ()
    answered: bool = False
    implausible: str | None = None
    denied: bool = False


class ServerResult(NamedTuple):
    """A name server. `alive`: its host answers. `answer`: what it said to a question (dns.py), None: nothing.
    `beyond`: it is in the internet, not on this side of the gateway."""

    address: str
    alive: bool = False
    answer: str | None = None
    beyond: bool = False

    def __str__(self) -> str:
        return f"{self.address} {self.words}"

    @property
    def words(self) -> str:
        if self.answer is not None:
            return f"answers with {self.answer}"
        return "answers no question" if self.alive else "does not answer"


class ProbeResults(NamedTuple):
    """One round. None and empty: there was nothing of that kind to ask. `gateway`: it answers. `references`: (name, it
    answers). `reachable_over`: another usable interface over which an endpoint's address answered."""

    gateway: bool | None = None
    names: tuple[NameResult, ...] = ()
    servers: tuple[ServerResult, ...] = ()
    endpoints: tuple[EndpointResult, ...] = ()
    references: tuple[tuple[str, bool], ...] = ()
    reachable_over: str | None = None

    @property
    def witness(self) -> str | None:
        """Something beyond the gateway, not an endpoint, that answered over the route that a dial takes."""
        servers = (f"name server {server.address}" for server in self.servers if server.alive and server.beyond)
        references = (name for name, alive in self.references if alive)
        return next(chain(references, servers), None)

    @property
    def beyond(self) -> bool | None:
        """Whether there is such a witness; None: there was nothing to ask that could be one."""
        asked = bool(self.references) or any(server.beyond for server in self.servers)
        return self.witness is not None if asked else None

    @property
    def unresolved(self) -> bool:
        """There are names, and DNS gave a plausible address for none of them."""
        return bool(self.names) and not any(name.answered for name in self.names)
