"""A scene's estimate may depend on the declaration."""
from econduit_terminal.sandbox.certify.scene import scene


async def play(subject):
    pass


def test_seconds():
    assert scene(seconds=2.5, play=play).seconds(None) == 2.5
    assert scene(seconds=lambda subject: subject * 2, play=play).seconds(4) == 8
