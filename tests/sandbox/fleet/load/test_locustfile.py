"""Loads as whole programs: Locust, its workers and its page, against a real sandbox cloud."""
import csv
import json
import re
import signal
import socket
import time
import urllib.parse
import urllib.request

import pytest

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.sandbox.fleet.load.plan import VARIABLE, Plan
from econduit_terminal.sandbox.fleet.load.run import LOCUSTFILE

LOAD = ("-m", "econduit_terminal.sandbox.fleet", "load")
LONGEST = 100

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@pytest.fixture
def load(start_python, cloud, tmp_path):
    """Starts econduit-fleet load for this cloud; its log is the file of that name."""
    def start(*words: object, log: str):
        return start_python(*LOAD, *map(str, words), stderr=(tmp_path / log).open("w"))
    return start


@pytest.fixture
def against(cloud):
    return ("--cloud", f"127.0.0.1:{cloud.primary},127.0.0.1:{cloud.secondary}", "--url", cloud.url)


def test_a_master_and_two_workers(load, against, cloud, tmp_path):
    port = free_port()
    master = load(*against, "--terminals", 40, "--scene", "cut", "--settle", "1s", "--sales", "20/s", "--latency",
                  "50ms", "--save", tmp_path / "back.json", "--csv", tmp_path / "stats", "--headless", "--master",
                  "--expect-workers", 2, "--master-bind-port", port, "--", "--master-bind-host", "127.0.0.1",
                  log="master")
    workers = [load("--worker", "--master-port", port, log=f"worker-{number}") for number in (1, 2)]
    out, _ = master.communicate(timeout=LONGEST)
    logs = "".join((tmp_path / name).read_text() for name in ("master", "worker-1", "worker-2"))
    assert master.returncode == 0, logs
    assert [worker.wait(20) for worker in workers] == [0, 0], logs
    assert "Traceback" not in logs
    assert re.search(r"scene cut: of 40 terminals that were cut, 50% after \d", out)

    known = cloud.terminals()
    assert sorted(known) == [f"L{worker:03d}{number:06d}" for worker in (0, 1) for number in range(20)]
    assert all(about["registrations"] >= 2 and about["max_at_once"] == 1 for about in known.values())
    assert len(json.loads((tmp_path / "back.json").read_text())["back"]) == 40
    with (tmp_path / "stats_stats.csv").open() as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    assert int(rows["registration"]["Request Count"]) >= 80
    assert int(rows["offline until registered"]["Request Count"]) == 40
    sales = rows["runTransaction Sale"]
    assert int(sales["Request Count"]) - int(sales["Failure Count"]) >= 20
    assert float(sales["Median Response Time"]) >= 50


def test_one_process_and_no_scene(load, against, cloud, tmp_path):
    program = load(*against, "--terminals", 5, "--stay", "1s", "--headless", log="log")
    assert program.wait(LONGEST) == 0, (tmp_path / "log").read_text()
    assert sorted(cloud.terminals()) == [f"L000{number:06d}" for number in range(5)]


def test_a_load_that_cannot_begin_has_not_gone_well(start_python, tmp_path, monkeypatch):
    plan = Plan((Endpoint("name.invalid", 9),), None, 2, 100.0, None, None, 1.0, 5.0, None, 0.0, 0.5, "L", (), None,
                None, "sandbox", "sandbox")
    monkeypatch.setenv(VARIABLE, plan.to_text())
    program = start_python("-m", "locust", "-f", LOCUSTFILE, "--headless", stderr=(tmp_path / "log").open("w"))
    assert program.wait(LONGEST) == 2
    assert "this process cannot take part" in (tmp_path / "log").read_text()


def test_locusts_page_starts_it_and_shows_it(load, against, cloud, tmp_path):
    port = free_port()
    program = load(*against, "--terminals", 5, "--web-port", port, "--prefix", "W", log="log")
    page = Page(f"http://127.0.0.1:{port}")
    assert b"Locust" in page.get("/")
    assert json.loads(page.get("/swarm", user_count="5", spawn_rate="5"))["success"] is True
    cloud.wait_event("registered", terminal="W000000004", timeout=30)
    names = page.until(lambda: {row["name"] for row in json.loads(page.get("/stats/requests"))["stats"]},
                       lambda names: "registration" in names)
    assert f"dial 127.0.0.1:{cloud.primary}" in names
    assert b"registration" in page.get("/stats/requests/csv")
    program.send_signal(signal.SIGTERM)
    assert program.wait(20) == 0, (tmp_path / "log").read_text()
    assert "Traceback" not in (tmp_path / "log").read_text()


class Page:
    """Locust's web side, awaited until it answers."""

    def __init__(self, url: str):
        self._url = url
        self.until(self._answers, bool)

    def get(self, path: str, **form: str) -> bytes:
        """What it answers; a form is posted."""
        data = urllib.parse.urlencode(form).encode() if form else None
        with urllib.request.urlopen(self._url + path, data, timeout=10) as response:
            found: bytes = response.read()
            return found

    def until(self, ask, wanted):
        """Asks again until the answer is what is wanted."""
        deadline = time.monotonic() + 30
        while not wanted(found := ask()):
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        return found

    def _answers(self) -> bool:
        try:
            return bool(self.get("/"))
        except OSError:
            return False
