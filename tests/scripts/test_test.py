"""scripts/test: where apt cannot install what some tests need."""
import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "test"
NO_APT = {"dpkg-query": "exit 1", "apt-get": "echo E: no network; exit 100", "flock": 'shift 3; exec "$@"',
          "sudo": 'while [ "$1" = -n ]; do shift; done; exec "$@"'}
"""A machine on which nothing is installed and nothing can be."""


@pytest.mark.parametrize("in_ci, status, said", [
    (False, 0, "test: some tests will be skipped: an administrator would have to install iproute2 nftables "),
    (True, 1, "test: in continuous integration no test is left out"),
])
def test_without_the_packages_the_other_tests_run_but_not_in_ci(tmp_path, in_ci, status, said):
    for name, does in NO_APT.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    done = subprocess.run([SCRIPT, "--version"], env=environment | ({"CI": "true"} if in_ci else {}),
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done
    assert said in done.stderr and "E: no network" in done.stderr
