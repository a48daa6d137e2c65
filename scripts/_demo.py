#!/usr/bin/env python3
"""The demonstration itself, once scripts/demo has set everything up.

Rules
- Everything it starts is a child of a supervisord of its own, in a folder of its own, with free ports, and is ended
  whatever happens: at the end, after a failure in the middle, on Ctrl-C, SIGTERM, SIGHUP or a closed terminal, and
  after supervisord was killed, too (tests/support/supervisord.py).
- What is shown was seen: each time is that of an event of the agent, each answer the one that came over HTTP.
- Exit status: 0 it went well, 1 it did not (and what), 128 + n stopped by signal n.
"""
import argparse
import contextlib
import http.client
import json
import queue
import shlex
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Any

from demonstration.screen import SIGNALS, Screen, Stopped, ignore_signals, take_signals, took

from econduit_terminal.agent.cli import show
from econduit_terminal.conf.version import VERSION
from econduit_terminal.contract.client import AgentError, Client
from econduit_terminal.contract.status import Status
from econduit_terminal.process.output import survive_any_locale

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests/support"))
from sandbox_client import reserve
from supervisord import BIN, Supervisor

TERMINAL = "29531204"
PATIENCE = 15.0
"""Seconds that any step may take before the demonstration has failed."""
LOOK = 0.02
"""Seconds between two looks at what announces itself to nobody."""
LOOK_AFTER = 0.5
"""Seconds between two looks after supervisord while something else is awaited."""
LONGEST_FOLDER = 80
"""A Unix socket's path has 107 bytes at most, and supervisord makes a longer one first."""
LOG_LINES = 8
"""Of each program, when something failed."""

PROGRAM = """[program:{name}]
priority=1
command=econduit-sandbox {command}
stdout_logfile=%(here)s/{name}.out
stderr_logfile=%(here)s/{name}.log
"""
SETTINGS = """[terminal]
type = TerminalManufacturer
model = Model1
id = {terminal}
software_version = SomeProcessor v1.2
[cloud]
primary = 127.0.0.1:{primary}
secondary = 127.0.0.1:{secondary}
[reconnect]
# As for a terminal that has been online for a while: what failed before is forgotten.
stable_after = 0s
# It is the only terminal of its cloud, which starts at the same moment.
max_delay = 1s
[transactions]
application = unix://{folder}/payment.sock
# The demonstration ends at once; check-config warns of it, and a terminal has the default.
drain = 1s
[local]
socket = {folder}/agent.sock
display = 127.0.0.1:{display}
status_file = {folder}/status.json
state_dir = {folder}
"""


class Failed(Exception):
    """A step did not go as it should; the text is for people."""


class Demo:
    """A terminal, its supervisord and its cloud. `close()` ends all of it."""

    def __init__(self, screen: Screen, options: argparse.Namespace):
        self._screen, self._options = screen, options
        # Bound but not listening for as long as the demonstration runs: nobody else gets these ports.
        self._kept = [reserve() for _ in range(4)]
        self.primary, self.secondary, self.http, self.display = (sock.getsockname()[1] for sock in self._kept)
        self._supervisor = Supervisor(self._programs(), "econduit-demo-")
        self.folder = self._supervisor.folder
        self._sale = ""
        self._client = Client(self.folder / "agent.sock")
        self._states: queue.SimpleQueue[tuple[Status, float]] = queue.SimpleQueue()

    # -- the steps ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything, and wait until the terminal is online."""
        if len(str(self.folder)) > LONGEST_FOLDER:
            raise Failed(f"the path {self.folder} is too long for sockets: set TMPDIR to a shorter one")
        (self._supervisor.config_dir / "terminal.ini").write_text(SETTINGS.format(
            terminal=TERMINAL, folder=self.folder, primary=self.primary, secondary=self.secondary,
            display=self.display))
        self._screen.happens("supervisord starts the agent, its watchdog, a cloud and a payment application")
        self._supervisor.launch()
        threading.Thread(target=self._follow, daemon=True).start()
        state, _ = self._await(True)
        self._screen.happens(f"{self._headline(state)}   terminal {TERMINAL} is registered at {state.endpoint}")
        self._screen.beside(f"its display, for a browser: http://127.0.0.1:{self.display}/",
                            f"the cloud's desk, to sell and to break things at a click: http://127.0.0.1:{self.http}/")
        self._await_payment_app()

    def sell(self) -> None:
        """A sale as a POS makes it: through a URL of the cloud."""
        self._sale = path = "/services/api.asmx/runTransaction?" + urllib.parse.urlencode({
            "command": "sale", "key": "sandbox", "password": "sandbox", "amount": self._options.amount,
            "refID": "1234", "terminalId": TERMINAL})
        self._screen.happens("a POS asks the cloud for a sale, the terminal runs it:")
        self._screen.beside(f"http://127.0.0.1:{self.http}{path}")
        began = time.monotonic()
        answer = self._ask("GET", path)
        self._screen.happens(f"{answer.get('ResultCode')}, {took(time.monotonic() - began)} later; what of its answer "
                             "is not empty:")
        self._screen.beside(json.dumps({name: value for name, value in answer.items() if value not in (None, "")}))
        if answer.get("ResultCode") != "Approved":
            raise Failed(f"the sale was not approved: {answer.get('ResultCode')}: {answer.get('Message')}")

    def lose_connection(self) -> None:
        """The cloud resets the connection; the agent notices and is back."""
        self._screen.happens("the connection is killed (TCP reset)")
        began = time.monotonic()
        self._ask("POST", f"/sandbox/rst?terminal={TERMINAL}")
        state, lost = self._await(False)
        self._screen.happens(f"{self._headline(state)}, noticed after {took(lost - began)}")
        state, back = self._await(True)
        self._screen.happens(f"{self._headline(state)} again, {took(back - lost)} later")

    def watch(self) -> None:
        """The live status, until Ctrl-C."""
        cloud = f"http://127.0.0.1:{self.http}"
        status = shlex.join([str(BIN / "econduit-agent"), "--config-dir", str(self._supervisor.config_dir), "status"])
        self._screen.plain("\nThe live status, until Ctrl-C. Try at the desk, or in another window:")
        self._screen.beside(f"the desk              {cloud}/",
                            f"kill the connection   curl -X POST {cloud}/sandbox/rst",
                            f"the same sale again   curl '{cloud}{self._sale}'   # the first answer, charged once",
                            f"the whole status      {status}")
        self._screen.plain()
        # It ends when this process is killed; Ctrl-C does not reach it: it is for this process to end it.
        watching = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", BIN / "econduit-agent", "watch"],
                                    env=self._supervisor.environment, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            while watching.poll() is None:
                self._check_supervisord()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    watching.wait(LOOK_AFTER)
        except Stopped as stopped:
            if stopped.number != signal.SIGINT:
                raise
        finally:
            # Before the others: it would tell how they end.
            watching.kill()
            watching.wait()

    # -- how ---------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End every process that was started here, in order if they let themselves; remove the folder."""
        self._supervisor.close()
        for sock in self._kept:
            sock.close()

    def logs(self) -> list[str]:
        """The ends of what the programs have logged, for a failure."""
        lines = []
        for file in sorted({*self.folder.glob("*.out"), *self.folder.glob("*.log")}):
            text = file.read_text(errors="replace").splitlines()
            if text and file.name != "supervisord.log":     # the same as its output
                lines += [f"-- {file.name.partition('-stdout-')[0]}", *text[-LOG_LINES:]]
        return lines

    def _programs(self) -> str:
        """The sandbox's programs, as sections of supervisord's configuration."""
        ports = shlex.join(["--primary-port", str(self.primary), "--secondary-port", str(self.secondary),
                            "--http-port", str(self.http), *self._options.cloud]).replace("%", "%%")
        return (PROGRAM.format(name="cloud", command=f"cloud {ports}")
                + PROGRAM.format(name="payment-app", command='payment-app --listen "unix://%(here)s/payment.sock"'))

    def _follow(self) -> None:
        """In a thread: the agent's states as they come, each with the time it came at."""
        while True:
            with contextlib.suppress(AgentError):
                for state in self._client.events():
                    self._states.put((state, time.monotonic()))
            time.sleep(LOOK)

    def _await(self, online: bool) -> tuple[Status, float]:
        """The next state that is online, or not; and when it came."""
        wanted = "POS Online" if online else "POS Offline"
        deadline = time.monotonic() + PATIENCE
        reason = "the agent does not answer"
        while (left := deadline - time.monotonic()) > 0:
            self._check_supervisord()
            with contextlib.suppress(queue.Empty):
                state, came = self._states.get(timeout=min(left, LOOK_AFTER))
                if state.online == online:
                    return state, came
                reason = state.reason or state.display
                if (state.retry_in or 0) > left:
                    raise Failed(f"the terminal shows {state.display}: {reason}")
        raise Failed(f"the terminal does not show {wanted} within {PATIENCE:g} s: {reason}")

    def _await_payment_app(self) -> None:
        """It says on its standard output that it listens."""
        deadline = time.monotonic() + PATIENCE
        said = self.folder / "payment-app.out"
        while not (said.exists() and said.read_text().endswith("\n")):
            self._check_supervisord()
            if time.monotonic() > deadline:
                raise Failed(f"the payment application does not listen within {PATIENCE:g} s")
            time.sleep(LOOK)

    def _check_supervisord(self) -> None:
        if (status := self._supervisor.ended()) is not None:
            raise Failed(f"supervisord ended by itself (status {status})")

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        """One HTTP call to the cloud, whatever proxies are set up for other hosts."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=PATIENCE)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Failed(f"the cloud does not answer {method} {path.partition('?')[0]}: {error}") from None
        finally:
            connection.close()
        if response.status != 200:
            raise Failed(f"the cloud refuses {method} {path.partition('?')[0]}: {answer}")
        return answer

    def _headline(self, state: Status) -> str:
        return show.headline(state, self._screen.colour)


def play(demo: Demo, screen: Screen, once: bool) -> int:
    """The whole play; returns the exit status. Raises Stopped."""
    try:
        demo.start()
        demo.sell()
        demo.lose_connection()
        if not once:
            demo.watch()
    except Failed as failure:
        screen.beside(*demo.logs())
        screen.happens(f"failed: {failure}")
        return 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo", add_help=False)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--amount", default="2.50")
    parser.add_argument("--cloud", metavar="OPTIONS", type=shlex.split, default=[])
    options = parser.parse_args()
    # A signal waits until there is somebody to clean up.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    survive_any_locale()
    screen = Screen()
    try:
        demo = Demo(screen, options)
    except OSError as error:
        parser.error(f"no folder or no port can be had: {error}")
    try:
        try:
            take_signals()
            screen.plain(f"eConduit terminal {VERSION}: a terminal and its cloud, on this machine alone\n")
            status = play(demo, screen, options.once)
        finally:
            ignore_signals()
    except Stopped as stopped:
        status = 128 + stopped.number
    finally:
        demo.close()
    with contextlib.suppress(Stopped):
        screen.happens("everything is stopped, nothing is left")
    return status


if __name__ == "__main__":
    sys.exit(main())
