"""scripts/make-pictures: docs/ has the pictures it takes and no others, and the display is photographed as it is."""
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "make-pictures"
DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
LARGEST = 120_000
"""Bytes; a clone carries them for good."""


def run(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, timeout=150)


@pytest.fixture(scope="module")
def names():
    done = run("--list")
    assert done.returncode == 0
    return done.stdout.split()


def size(file: Path) -> tuple[int, int]:
    head = file.read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", head[16:])


def test_docs_have_these_and_no_others(names):
    assert {file.stem for file in (ROOT / "docs").rglob("*.png")} == set(names)


def test_each_is_small_and_shown_somewhere(names):
    shown = {name for file in DOCUMENTS for name in re.findall(r"([\w-]+)\.png", file.read_text())}
    assert set(names) == shown
    for name in names:
        file = ROOT / "docs" / f"{name}.png"
        assert file.stat().st_size < LARGEST and min(size(file)) >= 240


def test_a_name_that_is_none():
    done = run("display-enormous")
    assert done.returncode == 2 and "display-small" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it pulls the cable of a terminal in network namespaces")
@pytest.mark.skipif(shutil.which("chromedriver") is None and not os.environ.get("CI"), reason="needs chromium-driver")
def test_the_display_is_photographed_with_its_cable_out(tmp_path):
    done = run("--out", tmp_path, "display-small")
    assert done.returncode == 0, done.stderr
    taken, = tmp_path.iterdir()
    assert taken.name == "display-small.png" and size(taken) == (240, 320)
