from importlib.metadata import version

from econduit_terminal.conf.version import VERSION


def test_the_installed_package_has_this_version():
    assert version("econduit-terminal") == VERSION
