"""One virtual terminal for all tests of the radio, made when the first of them begins."""
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import debian_root
import pytest
import radio_image
from radio_lab import WIFI, Radio

from econduit_terminal.conf.version import VERSION

said: list[str] = []


def cannot(reason: str) -> None:
    """One test says why there is no radio; root may have one, and what it lacks then fails the run."""
    if said:
        pytest.skip(f"as {said[0]} says")
    said.append(os.environ["PYTEST_CURRENT_TEST"].partition(" ")[0])
    if os.geteuid():
        pytest.skip(reason)
    pytest.fail(reason, pytrace=False)


@pytest.fixture(scope="module")
def machine(built_packages: Path) -> Iterator[Radio | str]:
    """Online over Wi-Fi, the packages installed; or why there is none."""
    try:
        image = radio_image.base()
    except (radio_image.Unavailable, debian_root.NoRoot) as reason:
        yield str(reason)
        return
    packages = [built_packages / f"{name}_{VERSION}_all.deb" for name in ("econduit-terminal", "econduit-sandbox")]
    with contextlib.ExitStack() as stack:
        try:
            radio = stack.enter_context(Radio(image, packages))
        except AssertionError as error:
            yield str(error)
            return
        yield radio


@pytest.fixture
def radio(request: pytest.FixtureRequest) -> Radio:
    """Online over Wi-Fi, whatever the test before left behind."""
    if reason := radio_image.missing():
        cannot(reason)
    machine = request.getfixturevalue("machine")
    if isinstance(machine, str):
        cannot(machine)
    at, shown = machine.latest()
    if shown["online"] and shown["interface"] == WIFI:
        machine.settled(at, interface=WIFI)
    else:
        machine.restore()
    return machine
