"""econduit-certify self: what needs no network of its own (the whole of it: tests/lab/test_certify.py)."""
import shutil
import subprocess
import sys

import pytest

from econduit_terminal.sandbox.certify import run_self
from econduit_terminal.sandbox.certify.device import parse


@pytest.mark.parametrize("profile", ["quick", "full", "long"])
def test_our_own_declaration_is_right(profile, tmp_path):
    known = {"type": run_self.TYPE, "id": run_self.ID, "cloud": "203.0.113.10", "folder": tmp_path,
             "heartbeat": run_self.HEARTBEAT[profile], "display": run_self.DISPLAY, "router": "ect1-0-router"}
    device, mistakes = parse(run_self.DEVICE.format(**known))
    assert mistakes == [] and device.echo and set(device.hooks) == {"cable_out", "cable_in", "uplink_out", "uplink_in"}
    (tmp_path / "certify.ini").write_text(run_self.SETTINGS.format(**known))
    done = subprocess.run([sys.executable, "-m", "econduit_terminal.agent", "check-config", "--config-dir", tmp_path],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_a_laboratory_it_says_what_is_missing(tmp_path):
    done = subprocess.run([sys.executable, "-m", "econduit_terminal.sandbox.certify", "self", "--out", tmp_path],
    text=True,
                          capture_output=True, timeout=60, env={"PATH": str(shutil.which("sh"))})
    assert done.returncode == 4 and "no network laboratory" in done.stderr
