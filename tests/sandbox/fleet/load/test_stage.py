"""Scenes on a real sandbox cloud."""
import socket
import threading
import time

import pytest

from econduit_terminal.sandbox.fleet.load.stage import SandboxCloud, StageError, play, unplayable
from econduit_terminal.sandbox.fleet.scenes import BY_NAME, NODES, SCENES, Does


class Terminal:
    """Registers on a plain socket."""

    def __init__(self, port: int, name: str):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.sock.sendall(b'{"Command":"Register","TerminalType":"T","TerminalModel":"M","TerminalID":"%s",'
                          b'"SoftwareVersion":"1","AckHeartbeat":"true"}\x04\x04' % name.encode())

    def answer(self) -> bytes:
        """What comes next; empty when the cloud has ended the connection."""
        return self.sock.recv(100)


@pytest.fixture
def terminal(cloud):
    made = []

    def make(name: str = "L1", port: int | None = None) -> Terminal:
        made.append(Terminal(port or cloud.primary, name))
        return made[-1]
    yield make
    for each in made:
        each.sock.close()


@pytest.fixture
def stage(cloud):
    """Plays a scene; returns when each phase began, by its own clock."""
    def run(name: str, outage: float = 0.0, meanwhile=lambda: None):
        begun = []
        thread = threading.Thread(target=play, args=(
            BY_NAME[name], outage, SandboxCloud(cloud.url), lambda phase: begun.append((phase, time.monotonic()))))
        thread.start()
        while not begun:
            time.sleep(0.01)
        meanwhile()
        thread.join(30)
        assert len(begun) == len(BY_NAME[name].phases)
        return [at - begun[0][1] for _, at in begun]
    return run


def test_cut_ends_everybodys_connection(stage, terminal):
    one = terminal()
    assert one.answer() == b"OK-REGISTRATION"
    stage("cut")
    assert one.answer() == b""
    assert terminal().answer() == b"OK-REGISTRATION"


def test_away_refuses_until_the_outage_is_over(stage, terminal, cloud):
    def meanwhile():
        for port in (cloud.primary, cloud.secondary):
            with pytest.raises(ConnectionRefusedError):
                terminal(port=port)
    begun = stage("away", 1.0, meanwhile)
    assert begun[1] >= 0.99
    assert terminal("L1", cloud.primary).answer() == terminal("L2", cloud.secondary).answer() == b"OK-REGISTRATION"


def test_ended_before_its_time_it_leaves_a_cloud_that_works(terminal, cloud):
    def stopped(_):
        with pytest.raises(ConnectionRefusedError):
            terminal()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play(BY_NAME["away"], 600.0, SandboxCloud(cloud.url), stopped)
    assert terminal("L1", cloud.primary).answer() == terminal("L2", cloud.secondary).answer() == b"OK-REGISTRATION"


def test_one_endpoint_leaves_the_other_one_alone(stage, terminal, cloud):
    def meanwhile():
        with pytest.raises(ConnectionRefusedError):
            terminal()
        assert terminal("L2", cloud.secondary).answer() == b"OK-REGISTRATION"
    stage("one-endpoint", 0.5, meanwhile)


def test_crowded_takes_connections_and_registers_when_it_is_over(stage, terminal):
    waiting = []
    stage("crowded", 0.5, lambda: waiting.append(terminal()))
    assert waiting[0].answer() == b"OK-REGISTRATION"


def test_a_crash_loop_drops_whom_it_registered(stage, terminal):
    def meanwhile():
        one = terminal()
        assert one.answer() == b"OK-REGISTRATION" and one.answer() == b""
    stage("crash-loop", 1.5, meanwhile)


def test_backlog_accepts_nothing_and_then_what_waited(stage, terminal, cloud):
    waiting = []
    stage("backlog", 0.5, lambda: waiting.append(terminal()))
    assert waiting[0].answer() == b"OK-REGISTRATION"
    assert cloud.wait_event("stalled")["port"] == "primary"


def test_a_rolling_restart_drops_each_terminal_once(stage, terminal, cloud):
    fleet = [terminal(f"L{number}") for number in range(30)]
    assert all(one.answer() == b"OK-REGISTRATION" for one in fleet)
    mark = cloud.mark()
    stage("rolling", 1.0)
    assert all(one.answer() == b"" for one in fleet)
    drops = [event for event in cloud.events(mark, kind="control") if event["detail"].startswith("drop")]
    assert len(drops) == NODES


def test_what_no_program_can_play_is_said():
    assert [scene.name for scene in SCENES if unplayable(scene)] == ["vanished"]
    assert Does.SILENT.value in (unplayable(BY_NAME["vanished"]) or "")


@pytest.mark.slow
def test_where_no_sandbox_answers_it_is_said(cloud):
    with pytest.raises(StageError, match=r"no econduit-sandbox cloud .* --url"):
        SandboxCloud(f"http://127.0.0.1:{cloud.primary}").counts()
    with pytest.raises(StageError, match="refuses nothing-such"):
        SandboxCloud(cloud.url).use("nothing-such")
    assert SandboxCloud(cloud.url + "/").counts()["registered"] == 0
