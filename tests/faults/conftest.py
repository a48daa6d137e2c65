"""A whole agent that may be killed at any step, between a sandbox cloud and a sandbox payment application.

Both sandboxes are shared by a module; each test has a terminal, a journal and an agent of its own.
"""
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys

import pytest
from sandbox_client import Cloud, PaymentApp
from waiting import PATIENCE, until

from econduit_terminal.contract.client import AgentError, Client

_numbers = itertools.count(1)
SETTINGS = """
[terminal]
type = SandboxMaker
model = Model1
id = {id}
software_version = SomeProcessor v1.2
[cloud]
primary = 127.0.0.1:{primary}
secondary = 127.0.0.1:{secondary}
[heartbeat]
interval = {heartbeat}
ack_timeout = 500ms
[reconnect]
first_retry = 10ms
base_delay = 20ms
max_delay = 100ms
local_retry = 50ms
[transactions]
application = {application}
timeout = {timeout}
queue = {queue}
frame_gap = 100ms
[local]
socket = {folder}/agent.sock
display =
status_file = {folder}/status.json
state_dir = {folder}/state
log_level = debug
"""


WORDS = {"terminal interrupted": "interrupted", "held card data": "card data deleted", "busy": "busy",
         "restarting": "restarting", "without an answer": "no answer", "closed the connection": "no answer",
         "complete answer": "no answer", "not reachable": "not reachable"}


def word(answer):
    """`Approved`, `Declined`, or what a failure answer means."""
    if answer["ResultCode"] != "Failed":
        return answer["ResultCode"]
    return next(meaning for part, meaning in WORDS.items() if part in answer["Message"])


class Terminal:
    """One terminal: its agent's process, what its application ran, and what the cloud got from it."""

    def __init__(self, folder, cloud, app, application=None, timeout="3s", heartbeat="60s", queue=0):
        self.folder, self.cloud, self.app = folder, cloud, app
        folder.mkdir()
        self.id = f"F{os.getpid()}-{next(_numbers)}"
        self.log_file = folder / "agent.log"
        self.client = Client(folder / "agent.sock", timeout=5.0)
        self.process = None
        (folder / "settings").mkdir()
        (folder / "settings" / "own.ini").write_text(SETTINGS.format(
            id=self.id, primary=cloud.primary, secondary=cloud.secondary, folder=folder, timeout=timeout,
            heartbeat=heartbeat, queue=queue, application=application or app.address))

    @staticmethod
    def word(answer):
        return word(answer)

    @staticmethod
    def until(condition, what, timeout=PATIENCE):
        return until(condition, what, timeout)

    def start(self, crash_at=None, inside=()):
        """The agent's process, registered; it ends itself at the step `crash_at`, if given.

        inside: a command that runs it.
        """
        mark = self.cloud.mark()
        crash = {"ECONDUIT_CRASH_AT": crash_at, "ECONDUIT_FAULT_TESTS": "kill-this-process"} if crash_at else {}
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*inside, "setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "econduit_terminal.agent", "run",
                 "--config-dir", self.folder / "settings"],
                env={**os.environ, **crash}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.cloud.wait_event("registered", mark, PATIENCE, terminal=self.id)

    def crashed(self):
        """Wait until the agent has ended itself at its step."""
        assert self.process.wait(PATIENCE) == -signal.SIGKILL, self.log()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)

    def stop(self):
        """As supervisord does it."""
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0, self.log()

    def ask(self, amount, ref, command="sale"):
        """The cloud sends a transaction and does not wait."""
        self.cloud.run_transaction(self.id, amount, ref, command, wait=0)

    def ask_again(self, ref):
        """The cloud sends the same bytes again."""
        self.cloud.misbehave("duplicate", terminal=self.id, refID=ref)

    def answers(self, since=0):
        """What the cloud got after its event `since`, in order: parsed JSON."""
        return [json.loads(event["body"]) for event in self.cloud.events(since, terminal=self.id)
                if event["kind"] in ("response", "unsolicited")]

    def got(self, ref=None, since=0):
        """The answers in a word each: the result, or what the failure answer says; for one RefID, if given."""
        return [word(answer) for answer in self.answers(since) if ref in (None, answer["RefID"])]

    def wait_answers(self, count):
        until(lambda: len(self.answers()) >= count,
              lambda: f"{count} answers at the cloud, got {self.got()}\n{self.log()}")

    def flush(self):
        """Until a heartbeat came: what was to be sent before has arrived."""
        mark = self.cloud.mark()

        def beat():
            try:
                self.client.verify()
            except AgentError:
                return False
            return self.cloud.events(mark, 0.3, "heartbeat", self.id)
        until(beat, lambda: f"a heartbeat\n{self.log()}")

    def wait_offline(self):
        until(lambda: not self.client.status().online, "POS Offline")

    def journal(self):
        """The states of this terminal's transactions, by RefID."""
        connection = sqlite3.connect(f"file:{self.folder}/state/journal.sqlite3?mode=ro", uri=True)
        try:
            return dict(connection.execute("SELECT ref_id, state FROM transactions ORDER BY id"))
        finally:
            connection.close()

    def wait_state(self, ref, state):
        until(lambda: self.journal().get(ref) == state, f"{ref} {state} in the journal")

    def log(self):
        return self.log_file.read_text(errors="replace")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    running = Cloud(tmp_path_factory.mktemp("cloud") / "cloud.log")
    running.start()
    yield running
    running.close()


@pytest.fixture(scope="module")
def shared_app(tmp_path_factory):
    running = PaymentApp(tmp_path_factory.mktemp("payment-app"))
    running.start()
    yield running
    running.close()


@pytest.fixture
def app(shared_app):
    """The module's payment application; a test may leave it dead."""
    if shared_app.process.poll() is not None:
        shared_app.start()
    return shared_app


@pytest.fixture
def terminal(tmp_path, cloud, app):
    """A function that makes the test's terminal; nothing runs yet."""
    made = []

    def make(**settings):
        made.append(Terminal(tmp_path / f"terminal-{len(made)}", cloud, app, **settings))
        return made[-1]
    yield make
    for each in made:
        each.kill()
    cloud.behave()
