"""The dial while there is no connection: the link waits for it, and a command or other news of the network end it."""
import logging
import time
from collections.abc import Callable, Collection

import gevent

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import NetworkReport

from .background_dial import drop
from .dial_plan import DialPlan
from .dialed import Dialed, DialFailed
from .endpoints import Endpoints
from .link_commands import LinkCommands

log = logging.getLogger(__name__)


class ForegroundDial:
    """commands: a `stop` or `leave` among them ends the dial. network: gives the watchdog's last report."""

    def __init__(self, commands: LinkCommands, plan: DialPlan, records: Endpoints,
                 network: Callable[[], NetworkReport]):
        self._commands = commands
        self._plan = plan
        self._records = records
        self._network = network
        self._logged = ""       # what was dialed last

    def run(self) -> Dialed | DialFailed | None:
        """An open connection or why there is none; None when a command or the network made this dial pointless."""
        network = self._network()
        endpoints = self._records.order()
        self._log(endpoints, network)
        sources = self._plan.sources(endpoints, network)
        dialing = gevent.spawn(self._plan.dial, endpoints, network, time.monotonic())
        dialing.link(lambda _: self._commands.wakeup.set())
        opened: Dialed | DialFailed | None = None
        try:
            while not (self._commands.stop or self._commands.leave or self._turned(network, sources)):
                if dialing.ready():
                    opened = dialing.get()
                    break
                self._commands.wakeup.wait()        # bounded: the dial ends by itself and wakes us
                self._commands.wakeup.clear()
            return opened
        finally:
            if opened is None:
                drop(dialing)

    def _turned(self, before: NetworkReport, sources: Collection[str]) -> bool:
        """The dial is pointless now: another interface is to be used, or the way it takes went dead. That another one
        comes and goes ends no dial: while it flaps, no dial would ever end."""
        network = self._network()
        return network.bind != before.bind or any(
            source in network.lost and source not in before.lost for source in sources)

    def _log(self, endpoints: list[Endpoint], network: NetworkReport) -> None:
        """Once, not every second of a long outage: the log has a limit."""
        plan = ", then ".join(map(str, endpoints)) + (f" over {network.bind}" if network.bind else "")
        if plan != self._logged:
            log.info("dialing %s", plan)
        self._logged = plan
