"""The laboratory, as far as it needs none (its networks: tests/lab/test_netlab.py)."""
import os

from econduit_terminal.sandbox.lab import netlab


def test_names_of_runs_whose_process_is_gone_are_stale():
    assert not netlab._is_stale(f"{netlab.PREFIX}{os.getpid()}-0-router")
    assert netlab._is_stale(f"{netlab.PREFIX}999999999-0-router") and not netlab._is_stale("eth0")
