"""econduit-fleet as a program."""
import os
import subprocess
import sys

from econduit_terminal.conf.version import VERSION

PROGRAM = sys.executable, "-m", "econduit_terminal.sandbox.fleet"


def fleet(*words):
    return subprocess.run([*PROGRAM, *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def test_help_and_version():
    assert fleet("--help").returncode == 0
    assert fleet("--version").stdout == f"econduit-fleet {VERSION}\n"


def test_mistakes_exit_with_2():
    done = fleet("nope")
    assert done.returncode == 2 and "invalid choice" in done.stderr


def test_a_pipe_that_is_closed_changes_no_exit_status():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as closed:
        done = subprocess.run([*PROGRAM, "simulate", "--terminals", "1", "--alone", "--outage", "1s"], stdout=closed,
                              stderr=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_missing_package_is_named_with_the_remedy(monkeypatch, capsys):
    from econduit_terminal.sandbox.fleet import __main__ as program

    def lacking(_):
        raise ModuleNotFoundError("No module named 'numpy'", name="numpy")
    monkeypatch.setattr(program, "call", lacking)
    assert program.main(["scenes"]) == 2
    said = capsys.readouterr().err
    assert "numpy is missing: apt install python3-numpy, or with pip" in said and "pip install '.[fleet]'" in said
