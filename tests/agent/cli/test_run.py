"""`run` as a command; that __main__ patches before it: tests/agent/test_main.py."""
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from econduit_terminal.agent.cli.run import run


@pytest.mark.parametrize("given, wanted", [("/given", "/given"), (None, "/from/environment")])
def test_the_application_gets_the_directory_and_gives_the_exit_code(monkeypatch, given, wanted):
    served = []
    app = SimpleNamespace(run=lambda directory: served.append(directory) or 3)
    monkeypatch.setitem(sys.modules, "econduit_terminal.agent.app", app)
    monkeypatch.setenv("ECONDUIT_CONFIG_DIR", "/from/environment")
    assert run(SimpleNamespace(config_dir=given)) == 3
    assert served == [Path(wanted)]
