"""scripts/picture-certification: what it says without a report (the picture itself needs a browser and a run)."""
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "picture-certification"
PICTURE = SCRIPT.parent.parent / "docs" / "certification-report.png"


def test_a_directory_without_a_report(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "has no report.html" in done.stderr


def test_the_picture_is_there():
    assert PICTURE.read_bytes().startswith(b"\x89PNG")
