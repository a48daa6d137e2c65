"""The scenes of the display and of the cables, with the reference terminal and nobody beside it."""
import pytest

from econduit_terminal.sandbox.certify import scenes_display as scenes
from econduit_terminal.sandbox.certify.table import terminal_sales as S

LOSSES = {"7.1", "7.2", "7.5", "7.6"}


@pytest.mark.timeout(400)
def test_the_display_is_read_and_cables_need_hands(terminal_run, holds):
    found = {case["case"]: case for case in holds(terminal_run, scenes.SCENES, LOSSES)}
    assert found["6.2"]["seen"].startswith("“POS Offline” after") and found["6.3"]["seen"] == "red"
    assert "nobody was there to be asked" in found["7.1"]["seen"]


@pytest.mark.timeout(120)
def test_a_hook_pulls_the_cable(tmp_path):
    from certify_runs import examine
    pid = f"$(cat {tmp_path / 'no-pid'})"
    hooks = f'[hooks]\ncable_out = "kill -STOP {pid}"\ncable_in = "kill -CONT {pid}"\n'
    run = examine("terminal", None, tmp_path / "run", "--only", S.CABLE.id, settings=hooks)
    case, = run.result["cases"]
    assert case["verdict"] == "INCONCLUSIVE" and "hook cable_out failed (exit status" in case["seen"]
    assert run.status == 2
