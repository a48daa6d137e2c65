import io
import logging
import re

import pytest

from econduit_terminal.conf import logs

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
