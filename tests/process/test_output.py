"""T6: every command prints, whatever the locale's encoding knows."""
import os
import subprocess
import sys

import pytest

from econduit_terminal.process.output import survive_any_locale

LOCALES = {
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ascii, strictly": {"PYTHONIOENCODING": "ascii:strict"},
    "cp437": {"PYTHONIOENCODING": "cp437"},
    "C": {"LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "POSIX, by Python's own means": {"LC_ALL": "POSIX"},
    "one that is not installed": {"LC_ALL": "xx_XX.ISO-8859-99", "PYTHONUTF8": "0"},
    "UTF-8": {"LC_ALL": "C.UTF-8"},
}
COMMANDS = {
    "watchdog help": (["watchdog", "--help"], 0),
    "watchdog check": (["watchdog", "check", "--config-dir", "{settings}"], 1),
    "watchdog check, settings with a mistake": (["watchdog", "check", "--config-dir", "{wrong}"], 2),
    "agent help": (["agent", "status", "--help"], 0),
    "agent status": (["agent", "status", "--config-dir", "{settings}"], 4),
    "agent check-config": (["agent", "check-config", "--config-dir", "{settings}"], 0),
    "agent check-config, a mistake": (["agent", "check-config", "--config-dir", "{wrong}"], 2),
    "agent transactions": (["agent", "transactions", "--config-dir", "{settings}"], None),
    "sandbox help": (["sandbox", "cloud", "--help"], 0),
    "sandbox without a cloud": (["sandbox", "sale", "--http", "http://127.0.0.1:1/"], None),
    "sandbox, a file that cannot be read": (["sandbox", "cloud", "--tls-cert", "/nowhere/→", "--tls-key", "/x"], 2),
}


@pytest.fixture
def folders(tmp_path):
    """Directories with settings: right ones, and some whose mistake and name no ASCII terminal can show."""
    right, wrong = tmp_path / "settings", tmp_path / "wröng→\udcff"
    for folder, lines in ((right, "id = 29531204\ntype = T\nmodel = M\nsoftware_version = é→\n"),
                          (wrong, "id = 29531204\ncolour = ₴\n")):
        folder.mkdir()
        (folder / "a.ini").write_text(f"[terminal]\n{lines}[local]\nsocket = {tmp_path}/agent.sock\n"
                                      f"state_dir = {tmp_path}\n[cloud]\nprimary = 127.0.0.1:1\nsecondary =\n"
                                      "[watchdog]\nprobe_timeout = 100ms\n", encoding="utf-8")
    return {"settings": str(right), "wrong": str(wrong)}


@pytest.mark.slow
@pytest.mark.parametrize("locale", LOCALES.values(), ids=LOCALES)
@pytest.mark.parametrize("command, status", COMMANDS.values(), ids=COMMANDS)
def test_t6_every_command_survives_every_locale(folders, command, status, locale):
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHON"))}
    program, *arguments = command
    done = subprocess.run(
        [sys.executable, "-m", f"econduit_terminal.{program}", *(one.format(**folders) for one in arguments)],
        capture_output=True, timeout=60, env={**inherited, **locale})
    told = done.stdout + done.stderr
    assert b"Traceback" not in told and b"UnicodeEncodeError" not in told, told.decode("latin-1")
    assert told.strip()
    if status is not None:
        assert done.returncode == status if status != 1 else done.returncode >= 10, told.decode("latin-1")


@pytest.mark.parametrize("text, encoding, shown", [
    ("→ do this…", "ascii", b"-> do this..."), ("→ é", "latin-1", b"-> \xe9"), ("→", "utf-8", "→".encode()),
    ("\udcff and ₴", "ascii", rb"\udcff and \u20b4"), ("\udcff", "utf-8", rb"\udcff"),
    ("4 × 0.5 s ± 1 — “so”", "ascii", b'4 x 0.5 s +/- 1 - "so"'),
])
def test_what_cannot_be_encoded_is_spelled_plainly(monkeypatch, tmp_path, text, encoding, shown):
    with (tmp_path / "out").open("w", encoding=encoding, errors="strict") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        survive_any_locale()
        print(text, end="")
    assert (tmp_path / "out").read_bytes() == shown


def test_a_closed_output_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    survive_any_locale()
