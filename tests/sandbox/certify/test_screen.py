"""Standard output for a run that neither ends nor waits for it (as a process: test_run_terminal)."""
import os
import sys

import pytest

from econduit_terminal.sandbox.certify import screen
from econduit_terminal.sandbox.certify.screen import Screen, last_line


@pytest.fixture
def pipe():
    read, write = os.pipe()
    with os.fdopen(write, "w", encoding="latin-1", errors="replace") as stream:
        yield read, stream
    os.close(read)


def test_what_is_printed_comes_in_order_and_in_the_stream_s_encoding(pipe):
    read, stream = pipe
    before = sys.stdout
    with Screen(stream):
        print("é", "→")
        last_line("the end")
    assert sys.stdout is before and os.read(read, 100).decode("latin-1") == "é ?\nthe end\n"


def test_a_full_disk_is_said_once(capsys):
    with open("/dev/full", "w") as stream:
        with Screen(stream):
            print("x")
            print("y")
        err = capsys.readouterr().err
    assert err == "econduit-certify: standard output cannot be written: the disk is full; make room, or take another " \
                  "place\n"


def test_a_reader_that_left_is_no_trouble_but_for_the_last_line(capsys):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream, Screen(stream) as made:
        print("x")
        assert made.trouble() == "was closed"
        last_line("PASS")
    assert capsys.readouterr().err == "econduit-certify: standard output was closed; PASS\n"


def test_nobody_reads(pipe, monkeypatch):
    monkeypatch.setattr(screen, "FLUSH_TIMEOUT", 0.1)
    with Screen(pipe[1]) as made:
        print("x" * 200_000)
        assert made.trouble() == "is not read by anybody"
        os.read(pipe[0], 200_000)
