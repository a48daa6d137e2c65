"""`run` as a command; that __main__ patches before it: tests/agent/test_main.py."""
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from econduit_terminal.agent.cli.commands import PROGRAM


@pytest.mark.parametrize("given, wanted", [(["--config-dir", "/given"], "/given"), ([], "/from/environment")])
def test_the_application_gets_the_directory_and_gives_the_exit_code(monkeypatch, given, wanted):
    served = []
    app = SimpleNamespace(run=lambda directory: served.append(directory) or 3)
    monkeypatch.setitem(sys.modules, "econduit_terminal.agent.app", app)
    monkeypatch.setenv("ECONDUIT_CONFIG_DIR", "/from/environment")
    options = PROGRAM.parse(["run", *given])
    assert options.run(options) == 3
    assert served == [Path(wanted)]
