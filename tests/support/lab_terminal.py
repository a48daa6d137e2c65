"""The product's own processes in the laboratory: agent and watchdog, and the sandbox's cloud."""
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from history import History
from waiting import PATIENCE

from econduit_terminal.contract.client import AgentError, Client
from econduit_terminal.sandbox.lab.netlab import CLOUD, Lab
from econduit_terminal.sandbox.lab.process import Process

SETTINGS = """
[terminal]
type = SandboxMaker
model = Model1
id = 29531204
software_version = SomeProcessor v1.2
[cloud]
primary = {primary}:80
secondary = {secondary}:9001
[local]
socket = {folder}/agent.sock
display =
status_file = {folder}/status.json
state_dir = {folder}
[watchdog]
probe_interval = 1s
probe_timeout = 1s
"""


Shown = dict[str, Any]
"""A status as the API has it."""


class Terminal:
    """One terminal in a laboratory. `statuses`: (monotonic time, GET /status) at every change, since `start`.

    `settings`: a template of them, with {primary}, {secondary} and {folder}. `python`: whose product runs.
    """

    def __init__(self, lab: Lab, folder: Path, primary: str = CLOUD, secondary: str = CLOUD, more: str = "",
                 settings: str = SETTINGS, python: str = sys.executable):
        self.lab, self.folder, self._python = lab, folder, python
        self.config = folder / "config"
        self.config.mkdir()
        self.config.joinpath("lab.ini").write_text(
            settings.format(primary=primary, secondary=secondary, folder=folder) + more)
        self.client = Client(folder / "agent.sock")
        self._history: History[Shown] = History()
        self.statuses = self._history.entries
        self._closed = False

    def start(self) -> Self:
        self.watchdog = self.run("watchdog")
        self.agent = self.run("agent")
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def run(self, part: str) -> Process:
        return self.lab.terminal.start(self._python, "-u", "-m", f"econduit_terminal.{part}", "run",
                                       "--config-dir", self.config)

    def until(self, wanted: Callable[[Shown], object], timeout: float = PATIENCE,
              after: float = 0.0) -> tuple[float, Shown]:
        """The first status that came after a moment and is wanted. Raises AssertionError with both logs."""
        if entry := self._history.first(wanted, timeout, after):
            return entry
        last = json.dumps(self.statuses[-1][1], indent=1) if self.statuses else "no status"
        raise AssertionError(f"not within {timeout} s; the last status:\n{last}\n-- agent\n{self.agent.text}\n"
                             f"-- watchdog\n{self.watchdog.text}")

    def online(self, timeout: float = PATIENCE, after: float = 0.0) -> tuple[float, Shown]:
        return self.until(lambda status: status["online"], timeout, after)

    def offline(self, timeout: float = PATIENCE, after: float = 0.0) -> tuple[float, Shown]:
        return self.until(lambda status: not status["online"], timeout, after)

    def verdict(self, *reasons: str, timeout: float = PATIENCE, after: float = 0.0) -> tuple[float, Shown]:
        """Until the watchdog's word in the status is one of `reasons`."""
        return self.until(lambda status: status["network"].get("verdict") in reasons, timeout, after)

    def close(self) -> None:
        self._closed = True

    def _listen(self) -> None:
        while not self._closed:
            try:
                for status in self.client.events():
                    self._history.add(status.to_json())
            except AgentError:
                time.sleep(0.02)


def start_cloud(lab: Lab, *options: str) -> Process:
    """The sandbox's cloud at its address in the laboratory, once it listens."""
    cloud = lab.cloud.start(sys.executable, "-u", "-m", "econduit_terminal.sandbox", "cloud", "--host", CLOUD,
                            "--primary-port", 80, "--secondary-port", 9001, "--http-port", 9080, *options)
    cloud.line('"primary"', timeout=30)
    return cloud
