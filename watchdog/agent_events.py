"""The agent's status as it changes, into the inbox. The loop itself never waits for the agent.

An agent that is absent is no error: it is tried again, ten times a second for a moment (a restart) and then every
second, and its return is told to the loop, which then reports at once.
"""
import logging
import threading
import time

from econduit_terminal.contract.client import AgentError, Client, NotRunning

from .inbox import AgentChanged, Inbox

RETRY = 1.0
RESTART_RETRY = 0.1
"""Seconds between two tries."""
RESTART = 5.0
"""Seconds since the agent went, in which RESTART_RETRY holds."""

log = logging.getLogger("watchdog")


class AgentEvents:
    """Follows GET /events for as long as the process runs."""

    def __init__(self, client: Client, inbox: Inbox, stopped: threading.Event):
        self._client, self._inbox, self._stopped = client, inbox, stopped

    def run(self) -> None:
        """The thread, until `stopped`."""
        there, went = True, time.monotonic()
        while not self._stopped.is_set():
            try:
                for status in self._client.events():
                    there = True
                    self._inbox.put(AgentChanged(status))
            except NotRunning:
                pass
            except AgentError as error:
                if there:
                    log.warning("the agent's status: %s", error)
            if there:
                there, went = False, time.monotonic()
                self._inbox.put(AgentChanged(None))
            self._stopped.wait(RESTART_RETRY if time.monotonic() - went < RESTART else RETRY)
