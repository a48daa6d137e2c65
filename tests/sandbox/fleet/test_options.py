"""The command line of econduit-fleet."""
from econduit_terminal.sandbox.fleet.options import PROGRAM
from econduit_terminal.sandbox.fleet.scenes import SCENES


def test_scenes_lists_every_scene(capsys):
    options = PROGRAM.parse(["scenes"])
    assert options.run(options) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [scene.name for scene in SCENES]
