"""The agent as one process, without a cloud; with one: tests/integration."""
import json
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from econduit_terminal.contract.client import Client

SETTINGS = """
[terminal]
type = Maker
model = M1
id = 29531204
[cloud]
primary = 127.0.0.1:1
secondary =
[local]
socket = {0}/agent.sock
display =
status_file = {0}/status.json
state_dir = {0}
"""
ANSWERING = """
import socketserver
class Cloud(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(1000)
        self.request.sendall(b"OK-REGISTRATION")
        self.request.recv(1000)
server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Cloud)
print(server.server_address[1], flush=True)
server.serve_forever()
"""
PLAIN = "from econduit_terminal.agent.__main__ import main; import sys; sys.exit(main())"
BUGGY = """
from gevent import monkey; monkey.patch_all()
from econduit_terminal.agent.cloud.link import Link
Link.run = lambda self: 1 / 0
""" + PLAIN
BUGGY_WHEN_ONLINE = """
from gevent import monkey; monkey.patch_all()
from econduit_terminal.agent.cloud.conversation import Conversation
Conversation._keep_alive = lambda self, now: self.registered_at and 1 / 0
""" + PLAIN
BUSY_WHEN_IT_FAILS = """
from gevent import monkey; monkey.patch_all()
import gevent
from econduit_terminal.agent.cloud.link import Link
from econduit_terminal.agent.transactions.processor import Processor
def drain(self, timeout):
    gevent.sleep(0.5)
    print("drained", timeout, file=__import__("sys").stderr, flush=True)
    return True
Processor.drain = drain
Link.run = lambda self: 1 / 0
""" + PLAIN

NO_CLOCK = """
from gevent import monkey; monkey.patch_all()
import datetime, os, sys
from econduit_terminal.agent import app
from econduit_terminal.agent.status.store import StatusStore
def wall():
    set_now = os.path.exists(os.path.join(sys.argv[2], "ntp"))
    return datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=0 if set_now else 20000)
StatusStore.__init__.__kwdefaults__["wall"] = wall
app.CLOCK_INTERVAL = 0.05
""" + PLAIN


@pytest.fixture
def start(tmp_path, start_python):
    """A function that starts an agent with these settings; `until(text)` reads its log to a line with the text."""
    def start(settings=SETTINGS, code=PLAIN):
        (tmp_path / "terminal.ini").write_text(settings.format(tmp_path))
        process = start_python("-c", code, "--config-dir", tmp_path, "run", stderr=subprocess.PIPE)
        process.until = lambda text: next((line for line in process.stderr if text in line), None)
        return process
    return start


def test_it_ends_in_order_when_asked(start, tmp_path):
    agent = start()
    assert "refused by 127.0.0.1:1" in agent.until("next dial")
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(10) == 0
    status = json.loads((tmp_path / "status.json").read_text())
    assert (status["display"], status["reason"], status["terminal_id"]) == ("POS Offline", "stopped", "29531204")


def test_a_bug_in_a_greenlet_ends_the_process_for_supervisord_to_start_a_sound_one(start):
    agent = start(code=BUGGY)
    assert "ZeroDivisionError" in agent.until("because of a bug")
    assert agent.wait(10) == 1


def test_nothing_says_online_after_a_bug(start, start_python, tmp_path):
    cloud = start_python("-c", ANSWERING)
    port = cloud.stdout.readline().strip()
    agent = start(SETTINGS.replace("127.0.0.1:1\n", f"127.0.0.1:{port}\n"), BUGGY_WHEN_ONLINE)
    assert "ZeroDivisionError" in agent.until("because of a bug")
    assert agent.wait(10) == 1
    status = json.loads((tmp_path / "status.json").read_text())
    assert (status["display"], status["reason"]) == ("POS Offline", "the agent failed and starts again")


def test_a_bug_does_not_cut_off_the_transaction_in_progress(start):
    agent = start(code=BUSY_WHEN_IT_FAILS)
    assert agent.until("drained 155")
    assert agent.wait(10) == 1


def test_a_status_file_that_moved_leaves_no_old_one(start, tmp_path):
    agent = start()
    assert agent.until("next dial")
    assert (tmp_path / "status.json").exists()
    (tmp_path / "terminal.ini").write_text(SETTINGS.format(tmp_path).replace("status.json", "moved.json"))
    assert Client(f"{tmp_path}/agent.sock").reload() == {"ok": True, "changed": ["local.status_file"]}
    assert not (tmp_path / "status.json").exists()
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(10) == 0
    assert json.loads((tmp_path / "moved.json").read_text())["reason"] == "stopped"


def test_settings_read_again_while_another_agent_has_the_terminal(start, tmp_path):
    first = start()
    assert first.until("next dial")
    second = start()
    assert second.until("waiting until it ends")
    (tmp_path / "terminal.ini").write_text(SETTINGS.format(tmp_path).replace("127.0.0.1:1\n", "127.0.0.1:2\n"))
    second.send_signal(signal.SIGHUP)
    assert second.until("SIGHUP")
    first.send_signal(signal.SIGTERM)
    assert first.wait(10) == 0
    assert second.until("settings read again: cloud.primary")
    assert second.until("dialing 127.0.0.1:2")


def test_the_journal_has_one_agent_though_the_socket_has_moved(start, tmp_path):
    first = start()
    assert first.until("next dial")
    second = start(SETTINGS.replace("agent.sock", "moved.sock"))
    assert second.until("waiting until it ends")
    first.send_signal(signal.SIGTERM)
    assert first.wait(10) == 0
    assert second.until("dialing 127.0.0.1:1")


def test_memory_is_never_written_down(start):
    agent = start()
    assert agent.until("next dial")
    limits = Path(f"/proc/{agent.pid}/limits").read_text().splitlines()
    assert next(line for line in limits if "core file" in line).split()[4] in ("0", "1")


def test_settings_that_cannot_work_are_said_and_waited_out(start, tmp_path):
    agent = start(SETTINGS.replace("127.0.0.1:1", "nowhere"))
    assert agent.until("cloud.primary") and agent.until("the agent waits for a reload")
    assert agent.until("answers")           # the local API, where [local] says in spite of the mistake
    status = Client(f"{tmp_path}/agent.sock").status()
    assert status.reason.startswith("settings wrong: ") and status.terminal_id == "29531204"
    agent.send_signal(signal.SIGHUP)        # still wrong
    assert agent.until("SIGHUP") and agent.until("(the agent waits for a reload)")
    (tmp_path / "terminal.ini").write_text(SETTINGS.format(tmp_path))
    agent.send_signal(signal.SIGHUP)
    assert agent.until("dialing 127.0.0.1:1")
    assert not Client(f"{tmp_path}/agent.sock").status().reason.startswith("settings wrong: ")


def test_settings_on_a_disk_that_is_mounted_late_count_without_a_reload(start, tmp_path):
    (tmp_path / "conf.d").symlink_to(tmp_path / "disk")
    agent = start(SETTINGS + "[reconnect]\nrejected_retry = 50ms\n")
    assert agent.until("conf.d: cannot be read") and agent.until("answers")
    assert Client(f"{tmp_path}/agent.sock").status().reason.startswith("settings wrong: ")
    (tmp_path / "disk").mkdir()
    assert agent.until("settings read again") and agent.until("dialing 127.0.0.1:1")


def test_a_reload_with_mistakes_keeps_the_settings(start, tmp_path):
    agent = start(SETTINGS + "log_level = debug\n")     # the same reason again is said at that level
    assert agent.until("next dial")
    (tmp_path / "terminal.ini").write_text(SETTINGS.format(tmp_path).replace("127.0.0.1:1", "nowhere"))
    agent.send_signal(signal.SIGHUP)
    assert agent.until("those from before are kept")
    assert agent.until("next dial")


def test_stacks_on_demand(start):
    agent = start()
    assert agent.until("next dial")
    agent.send_signal(signal.SIGUSR1)
    assert agent.until("most recent call first")


def test_t7_a_terminal_without_a_clock_is_offline_since_the_day_that_ntp_tells_it(start, tmp_path):
    agent = start(code=NO_CLOCK)
    assert agent.until("answers")
    today = datetime.now(UTC).isoformat()
    events = Client(f"{tmp_path}/agent.sock").events()
    assert next(events).since < "1990"
    (tmp_path / "ntp").touch()
    since = next(status.since for status in events if status.since > "1990")
    assert abs(datetime.fromisoformat(since) - datetime.fromisoformat(today)) < timedelta(minutes=1)
    while json.loads((tmp_path / "status.json").read_text())["since"] != since:
        time.sleep(0.01)
