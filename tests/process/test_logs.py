import io
import itertools
import logging
import re
import signal
import socket
import subprocess

import pytest

from econduit_terminal.process import logs

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ [a-z]+: .*")


@pytest.fixture
def stream(monkeypatch):
    root = logging.getLogger()
    before = root.level, root.handlers[:], logging.raiseExceptions
    yield io.StringIO()
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    logging.raiseExceptions = before[2]


def test_one_record_is_one_line(stream):
    logs.set_up("info", stream)
    log = logging.getLogger("econduit_terminal.agent.cloud.link")
    log.info("online at %s", "dc.econduitapp.com:80")
    log.debug("not at this level")
    log.warning("two\nlines \x1b[31m")
    first, second = stream.getvalue().splitlines()
    assert LINE.fullmatch(first) and first.endswith("Z INFO link: online at dc.econduitapp.com:80")
    assert second.endswith(r"Z WARNING link: two\nlines \x1b[31m")


def test_an_exception_is_on_the_same_line(stream):
    logs.set_up("info", stream)
    try:
        raise OSError("first\nsecond")
    except OSError:
        logging.getLogger("a.relay").exception("it failed")
    line, = stream.getvalue().splitlines()
    assert LINE.fullmatch(line)
    assert "relay: it failed | Traceback" in line and line.endswith("OSError: first | second")


def test_lines_have_an_end(stream):
    logs.set_up("info", stream)
    try:
        raise OSError("\x00" * 100_000)
    except OSError:
        logging.getLogger("a").exception("x" * 100_000)
    line, = stream.getvalue().splitlines()
    assert len(line) < logs.LINE_MAX + logs.TRACEBACK_MAX + 100


def test_a_wrong_format_string_still_gives_a_line(stream):
    logs.set_up("info", stream)
    logging.getLogger("a").info("%d of %d", "one")
    assert "TypeError while formatting" in stream.getvalue()


def test_set_up_again_changes_the_level_and_does_not_log_twice(stream):
    logs.set_up("info", stream)
    logs.set_up("debug", stream)
    logging.getLogger("a").debug("once")
    assert len(stream.getvalue().splitlines()) == 1


def test_standard_error_is_the_default(stream, capsys):
    logs.set_up("info")
    logging.getLogger("a").info("here")
    assert capsys.readouterr().err.endswith("INFO a: here\n")


def test_a_stream_that_cannot_be_written_costs_the_line_and_nothing_else(stream, capsys):
    broken = io.StringIO()
    broken.close()
    logs.set_up("info", broken)
    logging.getLogger("a").info("lost")
    assert capsys.readouterr().err == ""


# -- a process of its own, with pipes that nobody reads --------------------------------------------------------------

SERVING = """
import logging, os, signal, sys, time
{patch}
from econduit_terminal.process import logs
logs.serve("info")
logs.stacks_on(signal.SIGUSR1)
log = logging.getLogger("a.link")
{body}
"""
GEVENT = "from gevent import monkey; monkey.patch_all()"
BOTH = pytest.mark.parametrize("patch", ["", GEVENT], ids=["plain", "gevent"])


@pytest.fixture
def serve(start_python):
    """serve(body, …): a program that logs as the agent and the watchdog do; its stderr is a pipe."""
    def serve(body, patch="", stderr=subprocess.PIPE):
        return start_python("-c", SERVING.format(patch=patch, body=body), stderr=stderr)
    return serve


FLOOD = """
for number in range(20000):
    log.info("line %d %s", number, "x" * 100)
print_traceback = sys.stderr.write("no end" * 100000 + "\\n")
os.kill(os.getpid(), signal.SIGUSR1)
sys.__stdout__.write("not held\\n")
sys.__stdout__.flush()
sys.stdin.readline()
log.info("goes on")
"""


@BOTH
def test_m7_log_stacks_and_tracebacks_wait_for_nobody(serve, patch):
    process = serve(FLOOD, patch)
    assert process.stdout.readline() == "not held\n"
    lines = []
    while "lines were lost" not in (lines or [""])[-1]:
        lines.append(process.stderr.readline())
    process.stdin.write("\n")
    process.stdin.close()
    lines += process.stderr
    assert process.wait(10) == 0
    lost = sum(int(line.split("logs: ")[1].split()[0]) for line in lines if "lines were lost" in line)
    # The stacks may be anywhere among them; the pipe may have taken them only in part, without their line end.
    numbers = [int(number) for number in re.findall(r"INFO link: line (\d+) ", "".join(lines))]
    assert numbers[:400] == list(range(400))
    assert len(numbers) < 20000 <= len(lines) + lost
    assert lines[-1].endswith("INFO link: goes on\n")


@BOTH
def test_m7_a_process_ends_though_nobody_reads_its_last_words(serve, patch):
    process = serve("for _ in range(5000): log.info('x' * 100)\nraise ValueError('the end')", patch)
    assert process.wait(10) == 1


def test_an_exception_that_nobody_caught_is_in_the_log_line_by_line(serve):
    process = serve("raise ValueError('the\x1b end')")
    text = process.stderr.read()
    assert [line.partition("Z ")[2] for line in text.splitlines()][-1] == r"ERROR stderr: ValueError: the\x1b end"
    assert all(LINE.fullmatch(line) for line in text.splitlines())


def test_m7_a_standard_error_that_was_closed_does_not_become_the_next_file(start_python, tmp_path):
    program = SERVING.format(patch="", body=f"open({str(tmp_path / 'journal')!r}, 'w').close()\n"
                                            f"file = open({str(tmp_path / 'journal')!r}, 'a')\nlog.info('lost')\n"
                                            "os.kill(os.getpid(), signal.SIGUSR1)\nlogs.flush()\nprint('lost, too')")
    process = start_python("-c", "import os, sys; os.close(2); os.close(1)\n"
                                 "os.execv(sys.executable, [sys.executable, '-c', sys.argv[1]])", program)
    assert process.wait(10) == 0
    assert (tmp_path / "journal").read_text() == ""


def test_stacks_come_though_a_call_holds_python_s_lock(serve):
    process = serve("import re, threading\nlog.info('begins')\nlogs.flush()\n"
                    "re.match(r'(a+)+$', 'a' * 60 + 'b')")
    assert "begins" in process.stderr.readline()
    innermost = ""
    while "re/__init__.py" not in innermost:    # the first may come before the call
        process.send_signal(signal.SIGUSR1)
        innermost = next(after for line, after in itertools.pairwise(process.stderr) if "Current thread" in line)


@pytest.mark.parametrize("kind", ["socket", "file"])
def test_stacks_where_standard_error_cannot_be_opened_again(serve, tmp_path, kind):
    here, there = socket.socketpair()
    file = (tmp_path / "log").open("wb")
    process = serve("log.info('begins')\nlogs.flush()\nos.kill(os.getpid(), signal.SIGUSR1)\ntime.sleep(0.2)\n"
                    "log.info('after')", stderr=there if kind == "socket" else file)
    there.close()
    assert process.wait(10) == 0
    text = b"".join(iter(lambda: here.recv(4096), b"")) if kind == "socket" else (tmp_path / "log").read_bytes()
    here.close()
    file.close()
    begins, stacks, after = (text.index(word) for word in (b"begins", b"most recent call first", b"after"))
    assert begins < stacks < after
