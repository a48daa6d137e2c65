"""The packages, and machines of Debian 12 and 13 to try them on (see tests/support/debian_machine.py)."""
import functools
import os
from pathlib import Path
from types import SimpleNamespace

import debian_root
import pytest
from debian_machine import Machine

from econduit_terminal.conf.version import VERSION

BEFORE = "0.9.9"
SANDBOX_SETTINGS = "[cloud]\nprimary = 127.0.0.1:9000\nsecondary = 127.0.0.1:9001\n"
OTHER = "[program:other]\ncommand=sleep infinity\nstdout_logfile=NONE\nstderr_logfile=NONE\n"

said: set[str] = set()


def cannot(reason: str) -> None:
    """One line says why the packages cannot be tried; not one for each test. It is a failure where they should have
    been: in continuous integration, which prepares what they need."""
    if reason in said:
        pytest.skip("as said above")
    said.add(reason)
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def unavailable():
    """The function that says so."""
    return cannot


def release_of(item) -> str | None:
    """The Debian on which a test runs."""
    return getattr(item, "callspec", None) and item.callspec.params.get("release")


def pytest_collection_modifyitems(items):
    """The first test of a Debian waits for its root and the packages, which are made only once."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(900))


def pytest_runtest_setup(item):
    if Path(__file__).parent not in item.path.parents or "packages" not in item.fixturenames:
        return
    if reason := why_not(release_of(item)):
        cannot(reason)


@functools.cache
def why_not(release: str | None) -> str | None:
    """Why there is no machine of this Debian here (None: of none); asked once, for it may take minutes."""
    reason = debian_root.missing()
    if not reason and release:
        try:
            debian_root.base(release)
        except debian_root.NoRoot as error:
            reason = str(error)
    return reason


@pytest.fixture(scope="session", params=debian_root.RELEASES, ids="{}".format)
def release(request) -> str:
    """The Debian of a machine."""
    return request.param


@pytest.fixture(scope="session")
def packages(built_packages):
    """The built packages: .folder, .terminal, .sandbox, .modules, .before (file names), .said (by the build and
    lintian)."""
    folder, said = built_packages, (built_packages / "said.txt").read_text()
    debian_root.build(folder, "--no-lintian", "--version", BEFORE)
    return SimpleNamespace(folder=folder, said=said, terminal=f"econduit-terminal_{VERSION}_all.deb",
                           sandbox=f"econduit-sandbox_{VERSION}_all.deb",
                           modules=f"python3-econduit-terminal_{VERSION}_all.deb",
                           before=f"econduit-terminal_{BEFORE}_all.deb")


@pytest.fixture(scope="session")
def bare_layers(packages, release):
    """Debian with what the packages depend on."""
    return [debian_root.base(release)]


@pytest.fixture(scope="session")
def make_image(packages, bare_layers, tmp_path_factory):
    """A function: the same with these packages installed, as the script of an image does it: there is no supervisord,
    and nothing may be started."""
    def make(*names):
        folder = tmp_path_factory.mktemp("image")
        with Machine(bare_layers, packages.folder, folder) as machine:
            machine.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
            machine.install(*names)
            machine.path("/usr/sbin/policy-rc.d").unlink()
        return [folder / "upper", *bare_layers]

    return make


@pytest.fixture(scope="session")
def image_layers(packages, make_image):
    """Both packages installed."""
    return make_image(packages.terminal, packages.sandbox)


@pytest.fixture
def bare(packages, bare_layers):
    """A machine without the product, that knows its serial number."""
    with Machine(bare_layers, packages.folder) as machine:
        machine.device("29531204")
        yield machine


@pytest.fixture
def running(bare):
    """The same with a supervisord that runs a program of somebody else."""
    bare.write("/etc/supervisor/conf.d/other.conf", OTHER)
    bare.start_supervisord()
    bare.until("the other program runs", lambda: bare.states().get("other") == "RUNNING")
    return bare


@pytest.fixture
def image(packages, image_layers):
    """A machine with the image's files, before its first boot."""
    with Machine(image_layers, packages.folder) as machine:
        yield machine


@pytest.fixture
def terminal(image):
    """A terminal that is online, at a sandbox beside it on the same machine."""
    image.device("29531204")
    image.write("/etc/econduit-terminal/conf.d/10-sandbox.ini", SANDBOX_SETTINGS)
    start_sandbox(image)
    image.start_supervisord()
    image.until("the terminal is online", image.online)
    return image


def start_sandbox(machine) -> None:
    machine.start("econduit-sandbox", "cloud", log="/tmp/cloud.log")
    machine.start("econduit-sandbox", "payment-app", "--ledger", "/tmp/ledger", log="/tmp/payment-app.log")


@pytest.fixture
def sandbox():
    """The function that starts both programs of the sandbox on a machine."""
    return start_sandbox
