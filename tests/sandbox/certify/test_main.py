"""The command as a process: exit status and one clear line for whatever is wrong."""
import json
import os
import subprocess
import sys

import pytest


def certify(*words, cwd=None, **environment):
    return subprocess.run([sys.executable, "-m", "econduit_terminal.sandbox.certify", *map(str, words)],
                          capture_output=True, text=True, timeout=60, cwd=cwd, stdin=subprocess.DEVNULL,
                          env=os.environ | environment, encoding=environment.get("PYTHONIOENCODING"))


@pytest.mark.parametrize("words, says", [
    (["terminal", "--device", "nowhere.toml"], "nowhere.toml: there is no such file; econduit-certify init"),
    (["nope"], "invalid choice"), (["terminal", "--ports", "x"], "is no port"), (["verify", "nowhere.zip"],
    "nowhere.zip"),
    (["compare", "a", "b"], "a: there is no such file"), (["cloud", "h:1", "--url", "ftp://h"], "--url ftp://h"),
    (["cloud", "h:1", "--only", "9.9"], "--only 9.9"),
    (["cloud", "h:1", "--key", "nowhere"], "nowhere: there is no such file"),
    (["cloud", "h:1", "--from-failed", "nowhere"], "nowhere"), (["cloud"], "HOST:PORT"),
    (["cloud", "h:1", "--out", "/dev/null/x"], "--out /dev/null/x: a part of this path is a file")])
def test_mistakes_exit_with_4(words, says, tmp_path):
    done = certify(*words, cwd=tmp_path)
    assert done.returncode == 4 and says in done.stderr and "Traceback" not in done.stderr


def test_every_mistake_of_a_device_toml(tmp_path):
    (tmp_path / "d.toml").write_text('[device]\nformat = "x"\nack = 1\n[nope]\n')
    done = certify("terminal", "--device", tmp_path / "d.toml")
    assert done.returncode == 4
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == [f"{tmp_path}/d.toml:{n}" for n in (2, 3,
        4)]


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "d.toml").write_bytes(b"[device]\n\xff\n")
    done = certify("terminal", "--device", tmp_path / "d.toml")
    assert done.returncode == 4 and "d.toml:2: not UTF-8" in done.stderr


def test_any_locale(tmp_path):
    (tmp_path / "d.toml").write_text('[device]\nterminal_id = "1"\n')
    done = certify("terminal", "--device", tmp_path / "d.toml", "--list", PYTHONIOENCODING="ascii", cwd=tmp_path)
    assert done.returncode == 0 and "[section 3.3 section 3.4 section 3.7]" in done.stdout


@pytest.mark.parametrize("role, case", [("terminal", "3.6"), ("cloud", "C3.1"), ("self", "3.6")])
def test_a_list_needs_nothing_else_and_leaves_nothing(role, case, tmp_path):
    done = certify(role, "--list", cwd=tmp_path)
    line = next(line for line in done.stdout.splitlines() if line.startswith(f"{case} "))
    assert done.returncode == 0 and "MUST" in line and "§3.3 §3.4" in line and done.stderr == ""
    assert "PRACTICE" in done.stdout and list(tmp_path.iterdir()) == []


def report(folder, *verdicts, role="terminal"):
    folder.mkdir()
    cases = [{"case": f"3.{at}", "verdict": verdict} for at, verdict in enumerate(verdicts, 1)]
    (folder / "result.json").write_text(json.dumps({"version": 1, "role": role, "cases": cases}))
    return folder


def test_nothing_failed_there(tmp_path):
    earlier, run = report(tmp_path / "a", "PASS", "INFO"), tmp_path / "run"
    run.mkdir()
    (run / "device.toml").touch()
    done = certify("terminal", "--from-failed", earlier, cwd=run)
    assert done.returncode == 0 and "nothing to do" in done.stdout and os.listdir(run) == ["device.toml"]
    done = certify("terminal", "--from-failed", report(tmp_path / "b", "FAIL"), "--only", "3.2", cwd=run)
    assert done.returncode == 0 and "that --only names" in done.stdout
    done = certify("cloud", "h:1", "--from-failed", earlier, cwd=run)
    assert done.returncode == 4 and "the report of a terminal" in done.stderr


def test_help_and_version():
    assert certify("--help").returncode == certify("--version").returncode == 0
