"""The product's own processes in the laboratory: agent and watchdog, and the sandbox's cloud."""
import json
import sys
import threading
import time
from pathlib import Path

from netlab import CLOUD, Lab, Process

from econduit_terminal.contract.client import AgentError, Client

SETTINGS = f"""
[terminal]
type = SandboxMaker
model = Model1
id = 29531204
software_version = SomeProcessor v1.2
[cloud]
primary = {{primary}}:80
secondary = {{secondary}}:9001
[local]
socket = {{folder}}/agent.sock
display =
status_file = {{folder}}/status.json
state_dir = {{folder}}
[watchdog]
probe_interval = 1s
probe_timeout = 1s
"""


class Terminal:
    """One terminal in a laboratory. ``statuses``: (monotonic time, GET /status) at every change, since ``start``.

    ``settings``: a template of them, with {primary}, {secondary} and {folder}. ``python``: whose product runs.
    """

    def __init__(self, lab: Lab, folder: Path, primary: str = CLOUD, secondary: str = CLOUD, more: str = "",
                 settings: str = SETTINGS, python: str = sys.executable):
        self.lab, self.folder, self._python = lab, folder, python
        self.config = folder / "config"
        self.config.mkdir()
        self.config.joinpath("lab.ini").write_text(
            settings.format(primary=primary, secondary=secondary, folder=folder) + more)
        self.client = Client(folder / "agent.sock")
        self.statuses: list[tuple[float, dict]] = []
        self._changed = threading.Condition()
        self._closed = False

    def start(self) -> "Terminal":
        self.watchdog = self.run("watchdog")
        self.agent = self.run("agent")
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def run(self, part: str) -> Process:
        return self.lab.terminal.start(self._python, "-u", "-m", f"econduit_terminal.{part}", "run",
                                       "--config-dir", self.config)

    def until(self, wanted, timeout: float = 10, after: float = 0.0) -> tuple[float, dict]:
        """The first status that came after a moment and is wanted. Raises AssertionError with both logs."""
        def found():
            return next((entry for entry in self.statuses if entry[0] >= after and wanted(entry[1])), None)

        with self._changed:
            self._changed.wait_for(found, timeout)
            if entry := found():
                return entry
        last = json.dumps(self.statuses[-1][1], indent=1) if self.statuses else "no status"
        raise AssertionError(f"not within {timeout} s; the last status:\n{last}\n-- agent\n{self.agent.text}\n"
                             f"-- watchdog\n{self.watchdog.text}")

    def online(self, timeout: float = 10, after: float = 0.0) -> tuple[float, dict]:
        return self.until(lambda status: status["online"], timeout, after)

    def offline(self, timeout: float = 10, after: float = 0.0) -> tuple[float, dict]:
        return self.until(lambda status: not status["online"], timeout, after)

    def verdict(self, *reasons: str, timeout: float = 15, after: float = 0.0) -> tuple[float, dict]:
        """Until the watchdog's word in the status is one of ``reasons``."""
        return self.until(lambda status: status["network"].get("verdict") in reasons, timeout, after)

    def close(self) -> None:
        self._closed = True

    def _listen(self) -> None:
        while not self._closed:
            try:
                for status in self.client.events():
                    with self._changed:
                        self.statuses.append((time.monotonic(), status.to_json()))
                        self._changed.notify_all()
            except AgentError:
                time.sleep(0.02)


def start_cloud(lab: Lab, *options: str) -> Process:
    """The sandbox's cloud at its address in the laboratory, once it listens."""
    cloud = lab.cloud.start(sys.executable, "-u", "-m", "econduit_terminal.sandbox", "cloud", "--host", CLOUD,
                            "--primary-port", 80, "--secondary-port", 9001, "--http-port", 9080, *options)
    cloud.line('"primary"')
    return cloud
