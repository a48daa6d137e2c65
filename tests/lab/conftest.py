"""The laboratory (see sandbox/lab/netlab.py), and the watchdog alone in its terminal."""
import pytest
from fake_agent import FakeAgent
from lab_terminal import Terminal

from econduit_terminal.sandbox.lab.netlab import CLOUD, Lab, Unavailable

SETTINGS = f"""
[cloud]
primary = cloud.test:80
secondary = {CLOUD}:9001
[local]
socket = {{socket}}
log_level = debug
[watchdog]
poll = 1s
probe_interval = 1s
probe_timeout = 1s
report_interval = 2s
"""

LISTENER = """
import socket, time
kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
kernel.bind((0, 1))
print("ready")
while True:
    kernel.recv(65536)
    print("rang", time.monotonic())
"""


def _lab(uplinks: int):
    try:
        with Lab(uplinks) as lab:
            yield lab
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def lab():
    """A terminal with one uplink, and a cloud behind it."""
    yield from _lab(1)


@pytest.fixture
def lab2():
    """A terminal with two uplinks: eth0 (preferred) and eth1."""
    yield from _lab(2)


@pytest.fixture
def agent(tmp_path):
    """A fake agent on the socket that `config` names."""
    agent = FakeAgent(tmp_path / "agent.sock")
    yield agent
    agent.close()


@pytest.fixture
def config(tmp_path):
    """A settings directory for the laboratory."""
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "lab.ini").write_text(SETTINGS.format(socket=tmp_path / "agent.sock"))
    return folder


@pytest.fixture
def watch(config):
    """A function: start the watchdog in a laboratory's terminal, and wait until it watches."""
    def start(lab):
        process = lab.terminal.python("-m", "econduit_terminal.watchdog", "run", "--config-dir", config)
        process.line("watching")
        return process

    return start


@pytest.fixture
def listen():
    """listen(lab) -> rung(after): when the kernel told of a link, after a moment; a bare listener in the terminal hears
    it. The kernel itself may hold a carrier event back for up to a second (one such second for the whole machine)."""
    def start(lab):
        listener = lab.terminal.python("-c", LISTENER)
        listener.line("ready")
        return lambda after: float(listener.line("rang", after=after)[1].split()[1])

    return start


@pytest.fixture
def product(tmp_path, listen):
    """A function that starts agent and watchdog in a laboratory, registered at its cloud unless told otherwise. Its
    `rung` is when the kernel told of a link."""
    started = []

    def start(lab, online=True, **settings):
        rung = listen(lab)
        started.append(Terminal(lab, tmp_path, **settings).start())
        started[-1].rung = rung
        if online:
            started[-1].online()
            started[-1].verdict("online")
        return started[-1]

    yield start
    for terminal in started:
        terminal.close()
