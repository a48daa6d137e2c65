"""Which group to join, from real modes and as another user."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

# Drops to nobody once all is imported: what this Python is made of need not be readable for everybody.
PROGRAM = """
import os, sys
from pathlib import Path
from econduit_terminal.conf import access
os.setgroups([]); os.setgid(65534); os.setuid(65534)
print(access.refusal(Path(sys.argv[1])))
"""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")


@pytest.fixture
def place():
    """place(mode of the directory, mode of the file, group's number) -> the file."""
    with tempfile.TemporaryDirectory() as above:
        os.chmod(above, 0o755)

        def make(directory, file, group=1):
            folder = Path(above, "conf.d")
            folder.mkdir()
            made = folder / "own.ini"
            made.touch()
            for path, mode in ((made, file), (folder, directory)):
                os.chown(path, 0, group)
                path.chmod(mode)
            return made
        yield make


def asked(path):
    return subprocess.run([sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True,
                          timeout=20).stdout.strip()


def test_t14_a_directory_of_a_group(place):
    folder = place(0o2750, 0o644).parent
    assert asked(folder) == (f"{folder} may not be read by nobody: run this as root or as a member of the group daemon "
                             "(sudo adduser nobody daemon, then log in again)")


def test_t14_a_file_behind_such_a_directory(place):
    file = place(0o2750, 0o644)
    assert asked(file).startswith(f"{file.parent} may not be read by nobody: run this as root or as a member of")


def test_t14_a_file_of_a_group(place):
    file = place(0o755, 0o640)
    assert asked(file).startswith(f"{file} may not be read by nobody: run this as root or as a member of the group dae")


@pytest.mark.parametrize("mode, group", [(0o600, 1), (0o640, 0), (0o640, 4_000_000_000)])
def test_t14_a_file_for_root_alone(place, mode, group):
    file = place(0o755, mode, group)
    assert asked(file) == (f"{file} may not be read by nobody: run this as root, or give it the group econduit and "
                           "mode 0640")
