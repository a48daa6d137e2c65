"""What the agent has to say must not hold it up: a log that nobody takes, a status file that cannot be written."""
import contextlib
import os
import signal
import socket

import pytest
from supervisord import Supervisor

ROOM = 64 * 1024 + 256 * 1024      # a pipe, and what waits for it (process/background_writer.py)


@pytest.fixture
def own_supervisor():
    """A supervisord for one test alone."""
    with Supervisor() as running:
        yield running


@contextlib.contextmanager
def stopped(supervisor):
    """supervisord as a debugger or an overloaded machine leaves it: its pipes are open, and nobody reads them."""
    os.kill(supervisor.rpc.getPID(), signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(supervisor.pid, signal.SIGCONT)


def babble(terminal, size):
    """Have the agent log that many bytes at least, at debug level."""
    for _ in range(size // 200 + 1):
        with socket.socket(socket.AF_UNIX) as dialed:
            dialed.connect(str(terminal.socket))
            dialed.sendall(b"x" * 250 + b"\r\n\r\n")
            dialed.recv(1000)


def test_m7_sales_go_on_while_nobody_reads_the_log(own_supervisor, make_terminal, cloud):
    terminal = make_terminal({"local.log_level": "debug"}, own_supervisor)
    terminal.start()
    pid = terminal.wait_online()["pid"]
    with stopped(own_supervisor):
        babble(terminal, 2 * ROOM)
        os.kill(pid, signal.SIGUSR1)
        for number in range(20):
            assert cloud.run_transaction(terminal.id, ref=f"{terminal.id}-{number}")["ResultCode"] == "Approved"
        status = terminal.wait_counted(delivered=20)
        assert status["online"] and status["pid"] == pid
    terminal.wait_log("lines were lost")
    assert cloud.run_transaction(terminal.id)["ResultCode"] == "Approved"
    assert terminal.status()["connects"] == 1
