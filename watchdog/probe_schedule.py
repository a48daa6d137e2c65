"""When the network is asked while the terminal is offline, and whether the cloud's endpoints are asked, too. PURE.

| the agent                                                   | gateway, names | endpoints |
|-------------------------------------------------------------|----------------|-----------|
| is online, or not running                                   | no             | no        |
| got an answer at an endpoint by its last dial, or a refusal | yes            | no        |
| registers                                                   | yes            | no        |
| dials, without an answer for FIRST_ROUND_AFTER              | yes            | yes       |
| dialed, and met only silence or a router's rejection        | yes            | yes       |
| met anything else (no name, no way), or has not dialed yet  | yes            | no        |

While the cloud answers the agent, the agent's dial is the probe: the watchdogs of a whole fleet would double the load
of a cloud in trouble. The first round comes FIRST_ROUND_AFTER the loss, since most losses are over by then.
"""
from econduit_terminal.contract.status import Outcome, Phase

from .agent_status import ANSWERED, AgentStatus

FIRST_ROUND_AFTER = 1.0
"""Seconds."""
STALE_AFTER = 15.0
"""Seconds after which the result of a dial is out of date: more than the longest wait for a cloud that is down."""
NEVER = float("inf")

_IN_VAIN = frozenset({Outcome.SILENT, Outcome.REJECTED})


class ProbeSchedule:
    """`interval`: seconds between two rounds. `now` is monotonic time in seconds."""

    def __init__(self, interval: float):
        self._interval = interval
        self._agent = AgentStatus()
        self._due = NEVER
        self._dialing_since = NEVER
        self._dialed_at: float | None = None
        self._running = False
        self._dialed = False        # whether the last round asked the endpoints

    def agent_changed(self, agent: AgentStatus, now: float) -> None:
        """The agent sent a new status, or went."""
        before, self._agent = self._agent, agent
        if agent.phase != before.phase or agent.pid != before.pid:
            if before.phase == Phase.DIALING or agent.pid != before.pid:
                self._dialed_at = now       # or before, where it dialed unseen
            self._dialing_since = now if agent.phase == Phase.DIALING else NEVER
        if not self._wanted:
            self._due, self._dialed_at = NEVER, None
        elif before.online or before.pid != agent.pid:
            self._due = self._soon(now)
        elif agent.endpoints and self.asks_endpoints(now) and not self._dialed:
            self._due = min(self._due, now)     # the dials fell silent since the last round

    def network_changed(self, now: float) -> None:
        """What was found is about another network: ask again soon, if it still matters."""
        if self._wanted:
            self._due = self._soon(now)

    def due(self) -> float:
        """When the next round is due; NEVER while one runs, or none is wanted."""
        if self._running or not self._wanted:
            return NEVER
        silence = self._dialing_since + FIRST_ROUND_AFTER
        return min(self._due, NEVER if self._dialed or not self.asks_endpoints(silence) else silence)

    def asks_endpoints(self, now: float) -> bool:
        """Whether a round that begins now asks the endpoints, too."""
        agent = self._agent
        met = {dialed.outcome for dialed in agent.endpoints}
        if not met:
            return True         # an agent of 1.0.0, which does not say
        if agent.phase == Phase.REGISTERING or met & (ANSWERED - {Outcome.REGISTERED}):
            return False
        if agent.phase == Phase.DIALING and now >= self._dialing_since + FIRST_ROUND_AFTER:
            return True
        return bool(met & _IN_VAIN) and Outcome.REGISTERED not in met

    def round_began(self, dialed: bool) -> None:
        """A round runs; `dialed`: it asks the endpoints, too."""
        self._running, self._dialed, self._due = True, dialed, NEVER

    def no_interface(self) -> None:
        """There is none to ask over: a change of the network starts the next round."""
        self._due = NEVER

    def round_ended(self, now: float, current: bool) -> None:
        """The round is over; `current`: it was about the network as it is now."""
        self._running = False
        if self._wanted:
            again = not current or (self.asks_endpoints(now) and not self._dialed)
            self._due = min(self._due, now if again else now + self._interval)

    def stale(self, now: float) -> bool:
        """Whether the agent's last dial is out of date, and it does not dial now."""
        waits = self._agent.phase not in (Phase.DIALING, Phase.REGISTERING)
        return waits and self._dialed_at is not None and now > self._dialed_at + STALE_AFTER

    @property
    def _wanted(self) -> bool:
        return self._agent.pid is not None and not self._agent.online

    def _soon(self, now: float) -> float:
        return now + min(FIRST_ROUND_AFTER, self._interval)
