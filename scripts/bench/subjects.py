"""Who is measured: the product, a bare client and paho-mqtt, in one network; and the cloud that all of them dial.

Times are seconds of CLOCK_MONOTONIC, which all processes of a machine share.
"""
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from lab_terminal import Terminal, start_cloud

from econduit_terminal.sandbox.lab.host import Host
from econduit_terminal.sandbox.lab.netlab import CLOUD, Lab
from econduit_terminal.sandbox.lab.process import Process

PEERS = Path(__file__).resolve().parent.parent / "peers"
PRODUCT, BARE = "product", "bare client"
MQTT, MQTT10 = "paho-mqtt, defaults", "paho-mqtt, keepalive 10"
SETTINGS = """
[terminal]
type = SandboxMaker
model = Model1
id = {id}
software_version = SomeProcessor v1.2
[cloud]
primary = {primary}:80
secondary = {secondary}:9001
[local]
socket = {folder}/agent.sock
display =
status_file = {folder}/status.json
state_dir = {folder}
"""
"""As shipped, but for addresses and paths."""
LOOK = 0.01
"""Seconds between two looks at what tells nobody when it changes."""
_EVENT = re.compile(r" sandbox: ([a-z-]+): .*?terminal=(\S+)")


class Subject(Protocol):
    """Whoever meets the event."""

    def first(self, word: str, after: float) -> float | None:
        """When it first said "online" or "offline" after a moment."""

    def online(self) -> bool:
        """Whether it is online by its own word."""


class Peer:
    """A peer program, which prints `<monotonic time> <word>`."""

    def __init__(self, lab: Lab, program: str, *arguments: object):
        self._process = lab.terminal.python(PEERS / program, *arguments)

    def entries(self) -> list[tuple[float, str]]:
        """All that it said."""
        found = []
        for line in self._process.text.splitlines():
            at, _, word = line.partition(" ")
            try:
                found.append((float(at), word))
            except ValueError:
                continue
        return found

    def first(self, word: str, after: float) -> float | None:
        """When it first said so after a moment."""
        return next((at for at, said in self.entries() if at >= after and said == word), None)

    def online(self) -> bool:
        """Its last word."""
        words = [word for _, word in self.entries() if word in ("online", "offline")]
        return bool(words) and words[-1] == "online"


def bare_client(lab: Lab, id: str = "bare") -> Peer:
    """The least that a client can do."""
    return Peer(lab, "bare_client.py", CLOUD, 80, id)


class Product:
    """Agent and watchdog of one terminal, with the settings as they are shipped; the same questions as to a Peer."""

    def __init__(self, lab: Lab, folder: Path, python: str, id: str = "29531204", more: str = ""):
        folder.mkdir()
        self.id = id
        self.terminal = Terminal(lab, folder, settings=SETTINGS.replace("{id}", id), more=more, python=python)

    def start(self) -> "Product":
        """Starts both, and follows the agent's status."""
        self.terminal.start()
        return self

    def first(self, word: str, after: float) -> float | None:
        """When its status first said so after a moment."""
        wanted = word == "online"
        return next((at for at, status in list(self.terminal.statuses)
                     if at >= after and status["online"] is wanted), None)

    def online(self) -> bool:
        """Its last word."""
        return bool(self.terminal.statuses) and bool(self.last()["online"])

    def last(self) -> dict[str, Any]:
        """The last status."""
        status: dict[str, Any] = self.terminal.statuses[-1][1]
        return status


class Cloud:
    """The sandbox's cloud in its host, and perhaps an MQTT broker beside it, killed and started together.

    broker: where the broker's settings are written; None: there is none. startup: seconds until it listens.
    """

    def __init__(self, lab: Lab, broker: Path | None = None):
        self._lab, self._broker = lab, broker
        self._processes: list[Process] = []
        self.start()

    def start(self) -> float:
        """Starts it; the moment at which it listens."""
        began = time.monotonic()
        self._processes = [start_cloud(self._lab)]
        listening = self._processes[0].line('"primary"')[0]
        self.startup = listening - began
        if self._broker:
            self._broker.write_text("listener 1883\nallow_anonymous true\n")
            self._processes.append(self._lab.cloud.start("mosquitto", "-c", self._broker))
        return listening

    def kill(self) -> None:
        """SIGKILL: from now on its host refuses."""
        for process in self._processes:
            process.signal(9)
            process.wait()

    def events(self, kind: str, after: float = 0.0) -> list[tuple[float, str]]:
        """(when, whose) of its events of a kind, oldest first."""
        found = []
        for at, line in list(self._processes[0].lines):
            if at >= after and (event := _EVENT.search(line)) and event[1] == kind:
                found.append((at, event[2]))
        return found

    def first(self, kind: str, terminal: str, after: float) -> float | None:
        """When an event of a kind first happened to a terminal after a moment."""
        return next((at for at, whose in self.events(kind, after) if whose == terminal), None)

    def registered(self, terminals: Sequence[str], after: float, limit: float) -> list[float | None]:
        """When each registered for the first time after a moment; None where it did not within so many seconds."""
        def seen() -> dict[str, float]:
            return {who: at for at, who in reversed(self.events("registered", after))}

        wait(lambda: seen().keys() >= set(terminals), limit)
        found = seen()
        return [found.get(terminal) for terminal in terminals]

    def control(self, name: str) -> None:
        """POST /sandbox/<name>: it misbehaves."""
        ask = "import sys, urllib.request as r; r.urlopen(r.Request(sys.argv[1], method='POST'), timeout=10).read()"
        self._lab.cloud.run(sys.executable, "-c", ask, f"http://{CLOUD}:9080/sandbox/{name}")


def ports(host: Host) -> list[int]:
    """The local ports of a host's established connections to the cloud's two ports."""
    rows = host.run("ss", "-Htn", "state", "established", "( dport = :80 or dport = :9001 )").stdout.splitlines()
    return [int(row.split()[2].rpartition(":")[2]) for row in rows]


def wait(condition: Callable[[], Any], seconds: float) -> bool:
    """Whether the condition came true in that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(LOOK)
    return False
