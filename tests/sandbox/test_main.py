"""The command line of econduit-sandbox."""
import subprocess
import sys

import pytest


def test_a_taken_port_is_said(cloud):
    result = subprocess.run(
        [sys.executable, "-m", "econduit_terminal.sandbox", "--primary-port", str(cloud.primary)],
        capture_output=True, text=True, timeout=20)
    assert result.returncode == 2 and "in use" in result.stderr and "Traceback" not in result.stderr


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
