"""When the network is asked while the terminal is offline, and whether the cloud's endpoints are asked, too. PURE.

| the agent                                                      | gateway, names | endpoints |
|----------------------------------------------------------------|----------------|-----------|
| is online, or not there                                        | no             | no        |
| was answered at an endpoint by its last dial (a refusal counts) | yes            | no        |
| registers                                                      | yes            | no        |
| dials, and nothing answered for PATIENCE                       | yes            | yes       |
| dialed, and all it met was silence or a router's rejection     | yes            | yes       |
| met anything else (no name, no way), or has not dialed yet     | yes            | no        |

While the cloud itself answers the agent, the agent's dial is the probe: a fleet's watchdogs on top would double what a
cloud in trouble gets. The first round comes PATIENCE after the loss, since most losses are over by then.
"""
from econduit_terminal.contract.status import Outcome, Phase
from econduit_terminal.watchdog.agent_status import AgentStatus

PATIENCE = 1.0
STALE = 15.0
"""Seconds after which an answer that the agent got is history: the longest wait for a cloud that is down, and more."""
NEVER = float("inf")

_ANSWERED = frozenset({Outcome.OPEN, Outcome.NOT_THE_CLOUD, Outcome.REFUSED_REGISTRATION, Outcome.REFUSED})
_IN_VAIN = frozenset({Outcome.SILENT, Outcome.REJECTED})


class Asking:
    """``interval``: seconds between two rounds. ``now`` is monotonic time in seconds."""

    def __init__(self, interval: float):
        self._interval = interval
        self._agent = AgentStatus()
        self._due = NEVER
        self._dialing_since = NEVER
        self._dialed_at: float | None = None
        self._running = False
        self._dialed = False        # whether the last round asked the endpoints

    def heard(self, agent: AgentStatus, now: float) -> None:
        """The agent's newest word."""
        before, self._agent = self._agent, agent
        if agent.phase != before.phase or agent.pid != before.pid:
            if before.phase == Phase.DIALING:
                self._dialed_at = now
            self._dialing_since = now if agent.phase == Phase.DIALING else NEVER
        if not self._wanted:
            self._due, self._dialed_at = NEVER, None
        elif before.online or before.pid != agent.pid:
            self._due = self._soon(now)
        elif agent.endpoints and self.endpoints(now) and not self._dialed:
            self._due = min(self._due, now)     # the dials fell silent since the last round

    def network_changed(self, now: float) -> None:
        """What was found is about another network: ask anew, soon, if it still matters."""
        if self._wanted:
            self._due = self._soon(now)

    def due(self) -> float:
        """When the next round is due; NEVER while one runs, or none is wanted."""
        if self._running or not self._wanted:
            return NEVER
        silence = self._dialing_since + PATIENCE
        return min(self._due, NEVER if self._dialed or not self.endpoints(silence) else silence)

    def endpoints(self, now: float) -> bool:
        """Whether a round that begins now asks the endpoints, too."""
        agent = self._agent
        met = {dialed.outcome for dialed in agent.endpoints}
        if not met:
            return True         # an agent of 1.0.0, which does not say
        if agent.phase == Phase.REGISTERING or met & _ANSWERED:
            return False
        if agent.phase == Phase.DIALING and now >= self._dialing_since + PATIENCE:
            return True
        return bool(met & _IN_VAIN) and Outcome.REGISTERED not in met

    def began(self, dialed: bool) -> None:
        """A round runs; ``dialed``: it asks the endpoints, too."""
        self._running, self._dialed, self._due = True, dialed, NEVER

    def nothing_to_ask_over(self) -> None:
        """No interface is usable: a change of the network starts the next round."""
        self._due = NEVER

    def ended(self, now: float, current: bool) -> None:
        """The round is over; ``current``: it was about the network of now."""
        self._running = False
        if self._wanted:
            again = not current or (self.endpoints(now) and not self._dialed)
            self._due = min(self._due, now if again else now + self._interval)

    def stale(self, now: float) -> bool:
        """The agent's last dial is some time ago, and it waits."""
        waits = self._agent.phase not in (Phase.DIALING, Phase.REGISTERING)
        return waits and self._dialed_at is not None and now > self._dialed_at + STALE

    @property
    def _wanted(self) -> bool:
        return self._agent.pid is not None and not self._agent.online

    def _soon(self, now: float) -> float:
        return now + min(PATIENCE, self._interval)
