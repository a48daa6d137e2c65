import json
import signal
import subprocess
import sys
import tarfile

import pytest
from waiting import until

from econduit_terminal.agent.cli.bugreport import PARTS
from econduit_terminal.process.commands import INTERRUPTED


@pytest.fixture
def report(agent, settings, tmp_path):
    """report() makes one and returns its texts by the name of the part."""
    def make() -> dict[str, str]:
        file = tmp_path / "report.tar.gz"
        got = agent("bugreport", "--config-dir", settings, "--output", file)
        assert got.returncode == 0 and str(file) in got.stdout, got
        assert file.stat().st_mode & 0o777 == 0o600
        with tarfile.open(file) as archive:
            return {entry.name.partition("/")[2]: archive.extractfile(entry).read().decode() for entry in archive}
    return make


def test_it_is_made_whole_while_nothing_runs(report):
    parts = report()
    assert parts.keys() == PARTS.keys()
    assert "the agent is not running" in parts["status.json"]
    assert "gevent: " in parts["about.txt"]
    assert "FAIL agent" in parts["check.txt"]


def test_the_last_line_names_what_is_missing(agent, settings, tmp_path, status_server):
    (settings / "zz.ini").write_text(f"[local]\nstate_dir = {settings}\n")

    def closing(name):
        return agent("bugreport", "--config-dir", settings, "--output", tmp_path / name).stdout.splitlines()[-1]

    said = closing("alone")
    assert said.startswith("What it lacks: status.json, metrics.txt, transactions.txt")
    assert said.endswith("; each of these says why.")
    status_server(settings / "agent.sock")
    assert "status.json" not in closing("served")


def test_ctrl_c_leaves_no_half_of_it(settings, tmp_path):
    file = tmp_path / "report.tar.gz"
    making = subprocess.Popen([sys.executable, "-m", "econduit_terminal.agent", "bugreport", "--config-dir", settings,
                               "--output", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(file.exists, "it has begun")
    making.send_signal(signal.SIGINT)
    assert making.communicate(timeout=30) == (b"", b"") and making.returncode == INTERRUPTED
    assert not file.exists()


def test_nothing_is_run_that_lies_where_it_is_called(report, tmp_path, monkeypatch):
    (tmp_path / "psutil.py").write_text("raise SystemExit('planted')\n")
    monkeypatch.chdir(tmp_path)
    text = report()["check.txt"]
    assert "FAIL agent" in text and "planted" not in text


def test_settings_with_the_place_of_each_and_without_secrets(report, settings):
    (settings / "zz.ini").write_text("[transactions]\napplication = exec:/opt/pay --pin 4711\n")
    text = report()["settings.txt"]
    assert "transactions.application = exec:/opt/pay (hidden)" in text and "4711" not in text
    assert f"terminal.id = 29531204    ({settings}/own.ini:4)" in text


def test_wrong_settings_are_listed(report, settings):
    (settings / "zz.ini").write_text("[cloud]\nprimary = nonsense\n"
                                     "[transactions]\napplication = exec:/opt/pay --pin 4711\n")
    text = report()["settings.txt"]
    assert "zz.ini:2: cloud.primary" in text and "\nterminal.id = 29531204\n" in text
    assert "\ntransactions.application = exec:/opt/pay (hidden)\n" in text and "4711" not in text


def test_status_and_metrics_of_the_agent_that_runs(report, settings, status_server):
    status_server(settings / "agent.sock")
    parts = report()
    assert json.loads(parts["status.json"])["display"] == "POS Offline"
    assert "econduit_online 0" in parts["metrics.txt"]


def test_card_data_in_what_others_wrote_is_masked(report, settings, canned):
    canned(json.dumps({"online": False, "reason": "4111 1111 1111 1111"}).encode())
    text = report()["status.json"]
    assert '"reason": ' in text and "4111 1111" not in text


def test_no_file_is_overwritten(agent, settings, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    got = agent("bugreport", "--config-dir", settings, "--output", taken)
    assert got.returncode == 1 and "File exists" in got.stderr and "--output" in got.stderr
    assert taken.read_text() == "mine"


def test_the_name_tells_the_terminal(agent, settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert agent("bugreport", "--config-dir", settings).returncode == 0
    assert [file.name[:28] for file in tmp_path.glob("*.tar.gz")] == ["econduit-bugreport-29531204-"]
