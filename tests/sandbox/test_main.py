"""econduit-sandbox as a program."""
import subprocess
import sys


def test_a_taken_port_is_said(cloud):
    result = subprocess.run(
        [sys.executable, "-m", "econduit_terminal.sandbox", "--primary-port", str(cloud.primary)],
        capture_output=True, text=True, timeout=20)
    assert result.returncode == 2 and "in use" in result.stderr and "Traceback" not in result.stderr
