"""A writer and descriptors that do not take what it has: pipes nobody reads, full disks, closed pipes."""
import contextlib
import fcntl
import os
import subprocess
import sys
import time

import pytest

from econduit_terminal.process import background_writer
from econduit_terminal.process.background_writer import LIMIT, BackgroundWriter

LINE = b"%05d " + b"x" * 93 + b"\n"


def lost(number):
    return b"%d lost\n" % number


class Pipe:
    """A pipe and a writer to it."""

    def __init__(self):
        self.reading, self.writing = os.pipe()
        self.writer = BackgroundWriter(self.writing, lost)
        self.stuffed = 0
        self.seen = b""

    def stuff(self):
        """Fill it, as if nobody had read it for long."""
        own = os.open(f"/proc/self/fd/{self.writing}", os.O_WRONLY | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.stuffed += os.write(own, bytes(65536))
        os.close(own)

    def read(self, size=65536):
        """What came from the writer, after as much more as `size` bytes."""
        data = os.read(self.reading, size)
        self.seen += data[self.stuffed:]
        self.stuffed -= min(self.stuffed, len(data))

    def read_until(self, end):
        while not self.seen.endswith(end):
            self.read()
        return self.seen


@pytest.fixture
def pipe():
    made = Pipe()
    yield made
    os.close(made.reading)
    assert made.writer.flush(5), "nothing is written any more where another test's pipe may be"
    os.close(made.writing)


ROOM = LIMIT // len(LINE % 0)


def numbered(count):
    return b"".join(LINE % number for number in range(count))


def put(pipe, count):
    for number in range(count):
        pipe.writer.put(LINE % number)


def test_lines_come_in_order(pipe):
    put(pipe, 100)
    assert pipe.writer.flush(5)
    assert pipe.read_until(LINE % 99) == numbered(100)


def test_m7_a_pipe_that_nobody_reads_is_not_waited_for_and_what_was_lost_is_said_once_it_is_read(pipe):
    pipe.stuff()
    began = time.monotonic()
    put(pipe, ROOM + 10_000)
    assert time.monotonic() - began < 10
    assert not pipe.writer.flush(0.05)
    assert pipe.read_until(b" lost\n") == numbered(ROOM) + b"10000 lost\n"
    pipe.writer.put(LINE % 7)
    assert pipe.read_until(LINE % 7) == numbered(ROOM) + b"10000 lost\n" + LINE % 7


def test_m7_losses_are_said_in_their_place(pipe):
    pipe.stuff()
    put(pipe, ROOM + 5)
    while not pipe.seen:        # a part of the backlog goes, and there is room again
        pipe.read(4096)
    pipe.writer.put(LINE % 77_777)
    assert pipe.read_until(LINE % 77_777) == numbered(ROOM) + b"5 lost\n" + LINE % 77_777


def test_m7_the_flags_of_a_shared_pipe_stay(pipe):
    before = fcntl.fcntl(pipe.writing, fcntl.F_GETFL)
    pipe.stuff()
    put(pipe, ROOM + 1)
    assert fcntl.fcntl(pipe.writing, fcntl.F_GETFL) == before


def test_m7_a_pipe_that_another_process_has_made_non_blocking(pipe, monkeypatch):
    monkeypatch.setattr(background_writer, "AGAIN", 0.01)
    os.set_blocking(pipe.writing, False)
    pipe.stuff()
    put(pipe, ROOM + 3)
    assert pipe.read_until(b" lost\n") == numbered(ROOM) + b"3 lost\n"


def test_m7_a_full_disk_costs_the_lines_and_their_number_is_said(tmp_path):
    with open("/dev/full", "wb", buffering=0) as full, (tmp_path / "log").open("wb", buffering=0) as file:
        descriptor = os.dup(full.fileno())
        made = BackgroundWriter(descriptor, lost)
        for number in range(5):
            made.put(LINE % number)
        assert made.flush(5)
        os.dup2(file.fileno(), descriptor)
        made.put(LINE % 5)
        assert made.flush(5)
        assert (tmp_path / "log").read_bytes() == b"5 lost\n" + LINE % 5
        os.close(descriptor)


def test_m7_a_line_that_broke_off_does_not_spoil_the_next(monkeypatch):
    pieces = []

    def write(descriptor, data):
        if len(pieces) == 1:
            pieces.append(b"")
            raise OSError(28, "No space left on device")
        pieces.append(bytes(data[:3] if not pieces else data))
        return len(pieces[-1])

    monkeypatch.setattr(background_writer.os, "write", write)
    made = BackgroundWriter(-1, lost)
    made.put(b"first\n")
    made.put(b"second\n")
    assert made.flush(5)
    assert b"".join(pieces) == b"fir\n1 lost\nsecond\n"


def test_m7_a_closed_pipe_is_no_error(pipe):
    os.close(pipe.reading)
    for number in range(10):
        pipe.writer.put(LINE % number)
    assert pipe.writer.flush(5)
    pipe.reading = os.open(os.devnull, os.O_RDONLY)


def test_the_end_of_the_process_is_not_held_up(tmp_path):
    program = ("import os, sys\nfrom econduit_terminal.process.background_writer import BackgroundWriter\n"
               "made = BackgroundWriter(1, lambda number: b'')\nfor _ in range(9): made.put(b'x' * 20000)\n")
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.wait(20) == 0
    process.stdout.close()


def test_under_gevent_the_thread_is_a_native_one(tmp_path):
    program = ("from gevent import monkey; monkey.patch_all()\nimport gevent, os, sys, time\n"
               "from econduit_terminal.process.background_writer import BackgroundWriter\n"
               "made = BackgroundWriter(1, lambda number: b'')\n"
               "for _ in range(9): made.put(b'x' * 20000)\nbegan = time.monotonic()\ngevent.sleep(0.1)\n"
               "sys.stderr.write(f'{time.monotonic() - began < 10}')\n")
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr.read() == b"True" and process.wait(20) == 0
    process.stdout.close()
    process.stderr.close()
