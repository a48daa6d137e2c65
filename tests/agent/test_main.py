import subprocess
import sys

PROBE = """
import sys
from econduit_terminal.agent import __main__ as program
from econduit_terminal.agent.cli import commands
early = {"socket", "threading", "ssl", "selectors", "logging", "gevent"} & set(sys.modules)
sys.modules["econduit_terminal.agent.app"] = type(sys)("app")
import econduit_terminal.agent.app as app
def run(directory):
    from gevent import monkey
    print(sorted(early), monkey.is_module_patched("socket"), directory)
    return 7
app.run = run
sys.exit(program.main(["--config-dir", "/x", "run"]))
"""


def test_run_patches_before_anything_that_blocks_is_imported_and_returns_the_exit_code():
    got = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=20)
    assert (got.returncode, got.stdout) == (7, "[] True /x\n"), got
