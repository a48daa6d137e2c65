"""A terminal as it runs in the field: the agent under supervisord, and its settings.

    with Supervisor() as supervisor:
        with Terminal(supervisor, {"cloud.primary": "127.0.0.1:9000", …}) as terminal:
            terminal.start()
            terminal.wait_online()

A supervisor may serve many terminals, one after the other.
"""
import contextlib
import itertools
import json
import os
import signal
import subprocess
import threading
import time
import xmlrpc.client
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from supervisord import AGENT, BIN, Supervisor
from waiting import LOOK, PATIENCE, until, wait_end

from econduit_terminal.contract.client import AgentError, Client

DEFAULTS = {
    "terminal.type": "SandboxMaker", "terminal.model": "Model1", "terminal.software_version": "SomeProcessor v1.2",
    "registration.timeout": "2s", "reconnect.connect_timeout": "1s", "reconnect.secondary_after": "200ms",
    "reconnect.primary_retry": "1h", "reconnect.local_retry": "100ms", "reconnect.first_retry": "50ms",
    "reconnect.base_delay": "50ms", "reconnect.max_delay": "300ms", "transactions.frame_gap": "100ms",
    "local.display": "",
}
"""What a test need not wait for; everything else is as shipped."""

Settings = dict[str, object]
"""`section.key` → text."""

_numbers = itertools.count(1)

Shown = dict[str, Any]
"""A status as the API has it, `at`: when it came (monotonic), and `mark`: what came later is after this.

A status may come a moment after what it tells of: an agent says "online" twice within 40 ms of its start. What is to
come back is looked for after the mark of its loss, not after one from before it."""


class Terminal:
    """One terminal with settings, journal and TerminalID of its own. A context manager; it does not start the agent.

    `settings`: on top of DEFAULTS.
    """

    def __init__(self, supervisor: Supervisor, settings: Settings):
        self.supervisor = supervisor
        self.id = f"T{os.getpid()}-{next(_numbers)}"
        state = supervisor.folder / self.id
        state.mkdir()
        self.socket = supervisor.folder / "agent.sock"
        self.status_file = state / "status.json"
        self.client = Client(self.socket, timeout=5.0)
        self._settings = {**DEFAULTS, "terminal.id": self.id, "local.socket": self.socket, "local.state_dir": state,
                          "local.status_file": self.status_file, **settings}
        for file in (supervisor.config_dir / "conf.d").iterdir():
            file.unlink()
        self.set({})
        self._logged = {file: file.stat().st_size for file in self._log_files()}
        self.history: list[Shown] = []
        """Every status that the agent's event stream showed, oldest first."""
        self._news = threading.Condition()
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._follow, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._closed.set()
        info = self.supervisor.info()
        if info["pid"]:
            # What a test left in progress must not cost the others the time to drain it.
            with contextlib.suppress(xmlrpc.client.Fault, ProcessLookupError):
                self.supervisor.rpc.stopProcess(AGENT, False)
                try:
                    wait_end(info["pid"], 5)
                except AssertionError:
                    os.kill(info["pid"], signal.SIGKILL)
                    wait_end(info["pid"])
        self.supervisor.stop()

    # -- settings ----------------------------------------------------------------------------------------------------

    def set(self, settings: Settings) -> None:
        """Write the settings with these changed; the agent is not told."""
        self._settings |= settings
        sections: dict[str, list[str]] = {}
        for name, value in self._settings.items():
            section, _, key = name.partition(".")
            sections.setdefault(section, []).append(f"{key} = {value}")
        text = "\n".join(f"[{section}]\n" + "\n".join(lines) for section, lines in sections.items())
        (self.supervisor.config_dir / "terminal.ini").write_text(text + "\n")

    def override(self, text: str) -> Path:
        """The whole of conf.d/override.ini, which wins over all other settings."""
        file = self.supervisor.config_dir / "conf.d" / "override.ini"
        file.write_text(text)
        return file

    def reload(self, settings: Settings) -> None:
        """Change settings and tell the agent, as an operator does."""
        self.set(settings)
        self.supervisor.rpc.signalProcess(AGENT, "HUP")

    # -- the process -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the agent; it is not waited for."""
        self.supervisor.rpc.startProcess(AGENT, False)

    def agent_pid(self) -> int:
        """The agent's pid as supervisor knows it."""
        pid: int = self.supervisor.info()["pid"]
        return pid

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """econduit-agent with arguments, to its end."""
        return self.supervisor.run(BIN / "econduit-agent", *arguments)

    # -- what it says ------------------------------------------------------------------------------------------------

    def status(self) -> Shown:
        """GET /status."""
        return self.client.status().to_json()

    def mark(self) -> int:
        """Where the history ends now: what comes later is after this."""
        with self._news:
            return len(self.history)

    def wait_status(self, predicate: Callable[[Shown], object], timeout: float = PATIENCE,
                    since: int | None = None) -> Shown:
        """The first status for which `predicate(status)` holds: the newest known, or any that comes; with `since` (a
        mark) any after that mark. Raises AssertionError."""
        deadline = time.monotonic() + timeout
        with self._news:
            seen = max(0, len(self.history) - 1) if since is None else since
            while True:
                while seen < len(self.history):
                    if predicate(self.history[seen]):
                        return self.history[seen]
                    seen += 1
                if not self._news.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    break
        last = json.dumps(self.history[-1]) if self.history else "none"
        raise AssertionError(f"no such status within {timeout} s; the last one:\n{last}\n"
                             f"the log:\n{self.log()[-6000:]}")

    def wait_online(self, since: int | None = None, timeout: float = PATIENCE, **fields: object) -> Shown:
        """The first status with POS Online and these fields."""
        return self.wait_status(lambda s: s["online"] and all(s[key] == value for key, value in fields.items()),
                                timeout, since)

    def wait_offline(self, reason: str, since: int | None = None, timeout: float = PATIENCE) -> Shown:
        """The first status with POS Offline and `reason` in its reason."""
        return self.wait_status(lambda s: not s["online"] and reason in s["reason"], timeout, since)

    def wait_counted(self, **counts: int) -> Shown:
        """The first status with these numbers of transactions."""
        return self.wait_status(lambda s: all(s["transactions"].get(name) == number for name, number in counts.items()))

    def log(self) -> str:
        """What the agents of this terminal wrote."""
        texts = []
        for file in self._log_files():
            with file.open("rb") as opened:
                opened.seek(self._logged.get(file, 0))
                texts.append(opened.read().decode(errors="replace"))
        return "".join(texts)

    def wait_log(self, part: str, timeout: float = PATIENCE) -> str:
        """The first line of the log with `part` in it; it comes through supervisor, a moment after it was written."""
        try:
            return until(lambda: next((line for line in self.log().splitlines() if part in line), None), part, timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\nthe log:\n{self.log()[-6000:]}") from None

    def _log_files(self) -> list[Path]:
        return sorted(self.supervisor.folder.glob("agent-stdout*"), key=lambda file: file.stat().st_mtime)

    def _follow(self) -> None:
        while not self._closed.wait(LOOK):
            with contextlib.suppress(AgentError):
                for status in self.client.events():
                    with self._news:
                        self.history.append({**status.to_json(), "at": time.monotonic(),
                                             "mark": len(self.history) + 1})
                        self._news.notify_all()
