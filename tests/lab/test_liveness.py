"""A connection that a router forgot, a line that is silent, a line that is only bad, and packets that are too large."""
import json
import sys
import time

import pytest
from lab_terminal import Terminal, start_cloud

from econduit_terminal.sandbox.lab.netlab import CLOUD

CELLULAR = """[reconnect]
keepalive_idle = 10s
keepalive_interval = 5s
keepalive_count = 3
user_timeout = 25s
doubt_after = 3s
[heartbeat]
ack_timeout = 20s
"""
CALL = """import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], sys.argv[2].encode() or None, 20).read().decode())"""
APPLICATION = """
import json, socket, sys, threading, time

def serve(peer):
    request = json.loads(peer.recv(1 << 20))
    print("run", request["RefID"], flush=True)
    time.sleep(float(request.get("Delay", 0)))
    answer = {"ResultCode": "Approved", "RefID": request["RefID"], "Pad": "x" * int(request.get("AnswerBytes", 0))}
    peer.sendall(json.dumps(answer).encode())
    peer.close()

server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""
WORST, ROOM = 3.5, 4.0
"""Seconds that it may take at worst to be registered again, and what a busy machine may add: benchmarks measure."""
LOST, SILENT, LARGE = "connection lost on the way", "connection timed out", "large packets lost on the way"


@pytest.fixture
def online(lab, tmp_path):
    """A function that starts cloud, agent and watchdog, and waits for the registration: the terminal."""
    started = []

    def start(more=""):
        start_cloud(lab)
        started.append(Terminal(lab, tmp_path, more=more).start())
        started[-1].online()
        return started[-1]
    yield start
    for terminal in started:
        terminal.close()


class Pos:
    """What the cloud sends to the terminal, and what comes back."""

    def __init__(self, lab, terminal, application):
        self._lab, self.terminal, self.application = lab, terminal, application

    def call(self, path, body=""):
        return json.loads(self._lab.cloud.run(sys.executable, "-c", CALL, f"http://{CLOUD}:9080{path}", body).stdout)

    def ask(self, ref, **fields):
        """A request that the payment application answers; nothing waits for it here."""
        text = json.dumps({"Command": "Sale", "RefID": ref, **fields})
        self.call("/sandbox/raw", json.dumps({"terminal": "29531204", "text": text}))

    def answers(self):
        """RefIDs of the answers that have come, in their order."""
        return [json.loads(event["body"])["RefID"] for event in self.call("/sandbox/events?since=0")
                if event["kind"] in ("response", "unsolicited")]

    def wait(self, *refs, seconds=15):
        """Until these answers are there, and no others, in this order."""
        deadline = time.monotonic() + seconds
        while (answers := self.answers()) != list(refs):
            assert time.monotonic() < deadline, f"{answers}\n{self.terminal.agent.text}"

    def ran(self):
        return [line.split()[1] for _, line in self.application.lines if line.startswith("run")]


@pytest.fixture
def pos(lab, online, tmp_path):
    application = lab.terminal.python("-c", APPLICATION, tmp_path / "app.sock")
    application.line("ready")
    return Pos(lab, online(f"[transactions]\napplication = unix://{tmp_path}/app.sock\n"), application)


def ports(lab):
    """The terminal's ends of its connections to the cloud."""
    listed = lab.terminal.run("ss", "-tnH", "state", "established", "dst", CLOUD).stdout
    return [int(line.split()[2].rpartition(":")[2]) for line in listed.splitlines()]


def stall(lab, seconds):
    """A longer one would be a loss: that this process sleeps on does not make it longer."""
    lab.router.stall(seconds)
    time.sleep(seconds)


def connects(terminal):
    return terminal.client.status().to_json()["connects"]


def disconnects(terminal):
    return terminal.client.status().to_json()["disconnects"]


# -- the router forgot -------------------------------------------------------------------------------------------------


def test_a_router_that_forgets_the_connection(lab, online):
    terminal = online()
    for number in range(1, 4):
        lab.router.forget(*ports(lab))
        began = time.monotonic()
        terminal.until(lambda status, number=number: status["online"] and status["connects"] == number + 1, after=began)
        assert time.monotonic() - began < WORST + ROOM
        lab.router.allow()
    assert disconnects(terminal) == {LOST: 3}


def test_a_router_that_restarts_and_translates_addresses(lab, online):
    lab.router.translate()
    terminal = online()
    lab.router.restart()
    began = time.monotonic()
    terminal.until(lambda status: status["online"] and status["connects"] == 2, after=began)
    assert time.monotonic() - began < WORST + ROOM
    assert disconnects(terminal) == {LOST: 1}


def test_a_router_that_is_away_for_a_while_and_forgot_when_it_is_back(lab, online):
    """Its restart itself is a silence, and longer than a stall."""
    terminal = online()
    old = ports(lab)
    began = time.monotonic()
    lab.router.drop()
    terminal.offline(after=began)
    lab.router.allow()
    lab.router.forget(*old)
    began = time.monotonic()
    terminal.online(after=began)
    assert time.monotonic() - began < WORST + ROOM
    assert disconnects(terminal) == {SILENT: 1}


def test_a_connection_that_is_forgotten_during_a_transaction(lab, pos):
    """The application goes on, the answer waits for the new connection, nothing runs twice."""
    pos.ask("1", Delay=6)
    pos.application.line("run 1")
    lab.router.forget(*ports(lab))
    began = time.monotonic()
    pos.terminal.until(lambda status: status["online"] and status["connects"] == 2, after=began)
    assert time.monotonic() - began < WORST + ROOM
    pos.wait("1")
    pos.ask("2")
    pos.wait("1", "2")
    assert pos.ran() == ["1", "2"] and disconnects(pos.terminal) == {LOST: 1}


def test_a_connection_that_is_forgotten_under_an_answer(lab, pos):
    lab.router.forget(*ports(lab))
    pos.terminal.until(lambda status: status["connects"] == 2 and status["online"])
    pos.ask("1", Delay=0.5)
    pos.application.line("run 1")
    lab.router.forget(*ports(lab))
    pos.wait("1")
    assert disconnects(pos.terminal) == {LOST: 2}


def test_a_cellular_line_is_given_its_time(lab, online):
    """A stall of five seconds is nothing there; a forgotten connection is found all the same."""
    terminal = online(CELLULAR)
    for _ in range(2):
        stall(lab, 5)
        time.sleep(8)
    assert connects(terminal) == 1 and disconnects(terminal) == {}
    lab.router.forget(*ports(lab))
    began = time.monotonic()
    terminal.until(lambda status: status["online"] and status["connects"] == 2, after=began, timeout=30)
    assert time.monotonic() - began < 25
    assert sum(disconnects(terminal).values()) == 1     # by the kernel's record, or by the heartbeat's missing ack


# -- the line is silent, or only bad -----------------------------------------------------------------------------------


def test_a_silent_line(lab, online):
    terminal = online()
    began = time.monotonic()
    lab.router.drop()
    at, status = terminal.offline(after=began)
    assert 1.8 < at - began < 4.3 + ROOM and status["reason"] == SILENT
    terminal.verdict("no internet", after=began)
    lab.router.allow()
    terminal.online(after=began + 5)


def test_stalls_of_a_second_are_no_loss(lab, online):
    terminal = online()
    for number in range(8):
        stall(lab, 1)
        time.sleep(1 + number / 4)
    assert connects(terminal) == 1 and disconnects(terminal) == {}


@pytest.mark.parametrize("percent", [3, 10])
def test_a_line_that_loses_packets_is_not_left(lab, online, percent):
    terminal = online()
    lab.router.lose(percent)
    for _ in range(3):
        time.sleep(9)
        stall(lab, 1)           # on top
    assert connects(terminal) == 1 and disconnects(terminal) == {}


def test_a_healthy_line_carries_what_it_carried_before(lab, online):
    """A probe and its answer every two seconds: no dial, no heartbeat but the one of each minute."""
    terminal = online()
    time.sleep(4)
    capture = lab.terminal.start("tcpdump", "-l", "-n", "-i", "eth0", "tcp", "port", "80")
    began, _ = capture.line("listening")
    time.sleep(20)
    capture.end()
    packets = [line for at, line in capture.lines if " > " in line and at < began + 20]
    assert 14 <= len(packets) <= 26, capture.text
    assert not [line for line in packets if "[S" in line] and connects(terminal) == 1


# -- M8: packets that are too large ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size, answer, mss", [(1400, 1600, 1200), (1400, 30_000, 1200), (1000, 1600, 536)])
def test_m8_a_large_answer_gets_through_and_a_small_one_before_it(lab, pos, size, answer, mss):
    lab.router.lose_large(size)
    pos.ask("large", AnswerBytes=answer)
    pos.application.line("run large")
    pos.ask("small")
    pos.wait("small", "large")
    status = pos.terminal.client.status().to_json()
    assert status["problems"]["packet size"].endswith(f"segments of {mss} bytes at most are sent")
    assert status["disconnects"] == {LARGE: 1 if mss == 1200 else 2}
    began = time.monotonic()
    pos.ask("another", AnswerBytes=answer)
    pos.wait("small", "large", "another")
    assert time.monotonic() - began < WORST + ROOM and pos.ran() == ["large", "small", "another"]
    assert disconnects(pos.terminal) == status["disconnects"], "the record of the endpoint is kept"


def test_m8_one_direction_is_enough(lab, pos):
    lab.router.lose_large(1400, towards="wan")
    pos.ask("1", AnswerBytes=5000, Pad="x" * 5000)
    pos.wait("1")
    assert disconnects(pos.terminal) == {LARGE: 1}


def test_m8_a_large_request_that_dies(lab, pos):
    """It is lost with the connection, but the next one is not."""
    lab.router.lose_large(1400, towards="lan")
    pos.ask("1", Pad="x" * 1600)
    pos.terminal.until(lambda status: status["online"] and status["connects"] == 2, timeout=15)
    assert disconnects(pos.terminal) == {LARGE: 1}
    pos.ask("2", Pad="x" * 1600)
    pos.wait("2")
    assert pos.ran() == ["2"] and connects(pos.terminal) == 2


def test_m8_a_line_that_dies_under_a_large_answer_is_no_matter_of_size(lab, pos):
    pos.ask("1", AnswerBytes=30_000, Delay=0.5)
    pos.application.line("run 1")
    lab.router.drop()
    began = time.monotonic()
    _, status = pos.terminal.offline(after=began)
    assert status["reason"] == SILENT
    lab.router.allow()
    pos.wait("1")
    assert "packet size" not in pos.terminal.client.status().to_json()["problems"]
