"""A StatusStore behind the real local API, in a process of its own."""
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from econduit_terminal.contract.client import Client, NotRunning

LIMIT = 10
STATUS_SERVER = Path(__file__).parent.parent / "support/status_server.py"


class Served:
    """A StatusStore behind the real Api, in another process; its methods are called by name."""

    def __init__(self, folder: Path, **options):
        self.socket = folder / "agent.sock"
        self.client = Client(self.socket, timeout=LIMIT)
        self.errors = (folder / "errors.txt").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, STATUS_SERVER, self.socket, json.dumps(options, default=str)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        assert self.said() == ["ready"]

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(json.loads(line))

    def said(self):
        """The next thing that the process said."""
        return self._lines.get(timeout=LIMIT)

    def do(self, name, *arguments):
        self.process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self.process.stdin.flush()
        assert self.said() == ["done"]

    def until_it_answers(self):
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                return self.client.health()
            except NotRunning:
                assert time.monotonic() < deadline
                time.sleep(0.01)

    def log(self):
        self.errors.flush()
        return Path(self.errors.name).read_text()

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self):
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait(LIMIT)
        self.process.stdout.close()
        self.errors.close()


@pytest.fixture
def serve(tmp_path):
    """serve(port=…, status_file=…, times=…) -> Served; the options are those of tests/support/status_server.py."""
    running = []

    def start(**options):
        running.append(Served(tmp_path, **options))
        return running[-1]

    yield start
    for served in running:
        served.end()


@pytest.fixture
def served(serve):
    """One that answers already."""
    started = serve()
    started.until_it_answers()
    return started
