"""What may be asked of econduit-sandbox, and what it says to what may not."""
import subprocess
import sys

import pytest


@pytest.mark.parametrize("command", [[], ["cloud"], ["payment-app"], ["sale"]])
def test_help_says_what_there_is(command):
    result = subprocess.run([sys.executable, "-m", "econduit_terminal.sandbox", *command, "--help"],
                            capture_output=True, text=True, timeout=20)
    assert result.returncode == 0 and "econduit-sandbox" in result.stdout
    told = {"cloud": ("ignore-heartbeats", "/sandbox/events"), "payment-app": ("9.05", "declined")}
    assert all(word in result.stdout for word in told.get("".join(command), ()))


@pytest.mark.parametrize("given", [
    ["cloud", "--primary-port", "70000"], ["--http-port", "x"], ["payment-app", "--exec", "--listen", "x"], ["sale"],
    ["sale", "--terminal", "T1", "--http", "nowhere"],
])
def test_a_wrong_command_line_is_said(given):
    result = subprocess.run([sys.executable, "-m", "econduit_terminal.sandbox", *given], capture_output=True, text=True,
                            timeout=20)
    assert result.returncode == 2 and "usage" in result.stderr and "Traceback" not in result.stderr


def test_reading_what_there_is_patches_nothing():
    """scripts/build-manuals reads it; the process that does stays as it is."""
    script = ("from gevent import monkey; from econduit_terminal.sandbox.cli import PROGRAM; PROGRAM.parser()\n"
              "print(monkey.is_module_patched('socket'))")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20)
    assert done.stdout == "False\n"
