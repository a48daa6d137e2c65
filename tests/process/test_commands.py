"""A program's command line from its table: what may stand where, and how a command ends."""
import argparse
import dataclasses
import subprocess
import sys

import pytest

from econduit_terminal.process.commands import INTERRUPTED, UNWRITABLE, Command, OneOf, Program, argument, call
from econduit_terminal.process.output import OutputError

ROOM = argument("--room", help="which room", default="hall")
DANCE = Program("dancer", "Dances.", "1.2", (
    Command("waltz", "in three", lambda options: options.steps, (argument("--steps", type=int, default=3),)),
    Command("rest", "between two", lambda options: 0, (OneOf((argument("--sit", action="store_true"),
                                                             argument("--stand", action="store_true"))),), "Sit well."),
), common=(ROOM,), default="rest")


@pytest.mark.parametrize("given, wanted", [
    (["waltz"], {"command": "waltz", "steps": 3, "room": "hall"}),
    (["--room", "a", "waltz", "--steps", "4"], {"steps": 4, "room": "a"}),
    (["waltz", "--room", "b"], {"room": "b"}),
    (["--room", "a", "waltz", "--room", "b"], {"room": "b"}),
    ([], {"command": "rest"}), (["--sit"], {"command": "rest", "sit": True, "stand": False}),
])
def test_what_is_said_is_what_is_meant(given, wanted):
    named = any(command.name in given for command in DANCE.commands)
    options = vars(dataclasses.replace(DANCE, default=None if named else "rest").parse(given))
    assert {name: options[name] for name in wanted} == wanted


@pytest.mark.parametrize("given", [
    ["tango"], ["waltz", "--sit"], ["rest", "--sit", "--stand"], ["waltz", "--steps", "x"]])
def test_wrong_usage_ends_with_2(given, capsys):
    with pytest.raises(SystemExit) as ended:
        DANCE.parse(given)
    assert ended.value.code == 2 and "usage: dancer" in capsys.readouterr().err


def test_without_a_command_it_says_which_there_are(capsys):
    with pytest.raises(SystemExit):
        dataclasses.replace(DANCE, default=None).parse([])
    assert "waltz | rest" in capsys.readouterr().err


@pytest.mark.parametrize("given, said", [
    (["--help"], "between two (the default command)"), (["--version"], "dancer 1.2\n"),
    (["rest", "--help"], "Sit well.")])
def test_help_and_version(given, said, capsys):
    with pytest.raises(SystemExit) as ended:
        DANCE.parse(given)
    assert ended.value.code == 0 and said in capsys.readouterr().out


def test_the_command_gives_the_exit_status():
    assert call(DANCE.parse(["waltz", "--steps", "7"])) == 7


def test_ctrl_c_ends_it_as_a_shell_expects():
    def interrupted(options):
        raise KeyboardInterrupt
    assert call(argparse.Namespace(run=interrupted)) == INTERRUPTED


PRINTING = """
import os, sys
from econduit_terminal.process.commands import Command, Program, call
from econduit_terminal.process.output import survive_any_locale
survive_any_locale()
told = Program("teller", "Tells.", "1.0", (Command("tell", "it", lambda options: print("x" * {size}) or 3),))
sys.exit(call(told.parse(["tell"])))
"""


@pytest.mark.parametrize("size", [1, 100_000])
@pytest.mark.parametrize("options", [[], ["-u"]], ids=["buffered", "unbuffered"])
def test_an_output_that_cannot_be_written_is_said_in_one_line(size, options):
    with open("/dev/full", "w") as full:
        ended = subprocess.run([sys.executable, *options, "-c", PRINTING.format(size=size)], stdout=full,
                               stderr=subprocess.PIPE, text=True)
    assert ended.returncode == UNWRITABLE
    assert ended.stderr == "standard output cannot be written: No space left on device\n"


def test_without_an_output_the_status_tells():
    ended = subprocess.run(["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, PRINTING.format(size=10)],
                           stderr=subprocess.PIPE, text=True)
    assert (ended.returncode, ended.stderr) == (3, "")


def test_another_file_on_a_full_disk_is_not_the_output():
    def fails(options):
        with open("/dev/full", "w") as full:
            full.write("x")

    program = Program("teller", "Tells.", "1.0", (Command("tell", "it", fails),))
    with pytest.raises(OSError, match="No space left") as met:
        call(program.parse(["tell"]))
    assert not isinstance(met.value, OutputError)


@pytest.mark.parametrize("options", [[], ["-u"]], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("how, status, printed", [
    ("2>/dev/full", 3, "x\n"), (">/dev/full 2>&1", UNWRITABLE, ""), ("2>&-", 3, "x\n"), (">&- 2>&-", 3, "")])
def test_what_standard_error_does_not_take_changes_no_status(how, status, printed, options):
    """As in `command >>log 2>&1` on a full disk."""
    complaining = PRINTING.format(size=1).replace("print(", "print('why', file=sys.stderr) or print(")
    ended = subprocess.run(["sh", "-c", f'exec "$@" {how}', "sh", sys.executable, *options, "-c", complaining],
                           capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (status, printed, "")
