"""econduit-certify cloud as a process."""
import json
import subprocess
import sys

from certify_runs import ports


def certify(*words):
    return subprocess.run([sys.executable, "-m", "econduit_terminal.sandbox.certify", "cloud", *map(str, words)],
    text=True,
                          capture_output=True, timeout=60)


def test_no_cloud_comes(tmp_path):
    done = certify(f"127.0.0.1:{ports(1)[0]}", "--out", tmp_path)
    assert done.returncode == 3 and "no cloud came" in done.stderr
    assert json.loads((tmp_path / "result.json").read_text())["role"] == "cloud"


def test_what_is_not_given_is_not_tried(tmp_path):
    done = certify("h:1", "--list", "--invalid-type", "", "--out", tmp_path)
    lines = dict(line.split(None, 1) for line in done.stdout.splitlines() if line)
    assert "no --url was given" in lines["C5.1"] and "no second endpoint" in lines["C2.2"]
    assert "takes every" in lines["C3.2"]
    assert "only with --profile long" in lines["C4.8"] and "(" not in lines["C3.1"]
