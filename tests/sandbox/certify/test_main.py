"""The command as a process: exit status and one clear line for whatever is wrong."""
import os
import subprocess
import sys

import pytest


def certify(*words, cwd=None, **environment):
    return subprocess.run([sys.executable, "-m", "econduit_terminal.sandbox.certify", *map(str, words)],
    capture_output=True,
                          text=True, timeout=60, cwd=cwd, stdin=subprocess.DEVNULL, env=os.environ | environment)


@pytest.mark.parametrize("words, says", [
    (["terminal", "--device", "nowhere.toml"], "nowhere.toml: No such file or directory; econduit-certify init"),
    (["nope"], "invalid choice"), (["terminal", "--ports", "x"], "is no port"), (["verify", "nowhere.zip"],
    "nowhere.zip"),
    (["compare", "a", "b"], "a: No such file"), (["cloud", "h:1", "--url", "ftp://h"], "--url ftp://h"),
    (["cloud", "h:1", "--only", "9.9"], "--only 9.9"), (["cloud", "h:1", "--key", "nowhere"], "nowhere: No such file"),
    (["cloud", "h:1", "--from-failed", "nowhere"], "nowhere")])
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
    done = certify("terminal", "--device", tmp_path / "d.toml", "--list", PYTHONIOENCODING="latin-1", cwd=tmp_path)
    assert done.returncode == 0 and "3.6" in done.stdout


def test_help_and_version():
    assert certify("--help").returncode == certify("--version").returncode == 0
