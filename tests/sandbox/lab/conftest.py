"""A laboratory without networks: it keeps what would be run beside its namespaces."""
from pathlib import Path

import pytest


class Ground:
    """See `host.Ground`; `said` is what the next command says."""

    def __init__(self) -> None:
        self.id, self.enter, self.resolv_conf = "ect1-0", ["nsenter", "-t", "7"], Path("/lab/resolv.conf")
        self.processes, self.ran, self.said = [], [], ""

    def run(self, *arguments, input=None):
        self.ran.append((arguments, input))
        return self.said


@pytest.fixture
def ground():
    return Ground()
