"""econduit-sandbox as a program."""
import subprocess
import sys

import pytest


def refused(*arguments):
    result = subprocess.run([sys.executable, "-m", "econduit_terminal.sandbox", *map(str, arguments)],
                            capture_output=True, text=True, timeout=20)
    assert result.returncode == 2 and "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize("arguments", [("--primary-port",), ("payment-app", "--listen")])
def test_a_taken_port_is_said(cloud, arguments):
    *before, option = arguments
    said = refused(*before, option, cloud.primary if option == "--primary-port" else f"tcp://127.0.0.1:{cloud.primary}")
    assert f"cannot listen on 127.0.0.1 port {cloud.primary} (Address already in use)" in said
    assert f"econduit-sandbox {(before or ['cloud'])[0]} --help" in said


def test_a_certificate_that_is_not_there_is_said(tmp_path):
    assert f"--tls-cert {tmp_path}/none cannot be used (No such file" in refused("--tls-cert", tmp_path / "none")


def test_a_command_that_there_is_not_is_answered_with_those_that_there_are():
    said = refused("bogus")
    assert "bogus" in said and all(name in said for name in ("cloud", "payment-app", "sale"))
