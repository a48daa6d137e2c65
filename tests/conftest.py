"""What every test may ask for: processes and the sandbox's programs (tests/support/processes.py, sandbox_client.py)."""
import signal

import debian_root
import hypothesis
import processes
import pytest
from gevent import monkey
from sandbox_client import Cloud, PaymentApp, starter

# How long an example takes says how busy the machine is; what takes time in the product has tests of its own.
hypothesis.settings.register_profile("patient", deadline=None,
                                     suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

# A shell's background job, or nohup, passes on that these are ignored: the programs under test must hear them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def unpatched():
    """The tests' own process keeps its blocking sockets: patched by one test, it would deceive all that follow."""
    yield
    assert not monkey.is_module_patched("socket"), "this test had gevent patch the tests' process"


@pytest.fixture(scope="session")
def built_packages(tmp_path_factory):
    """A folder with the Debian packages of this source, built once for all tests; beside them what the build and
    lintian said (said.txt)."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "said.txt").write_text(debian_root.build(folder))
    return folder


@pytest.fixture
def start_python():
    """start_python(*arguments, stderr=…) -> a running Popen of python with text pipes; killed after the test."""
    with processes.starter() as start:
        yield start


@pytest.fixture
def start_cloud(tmp_path):
    """A function that starts an econduit-sandbox cloud: options as on the command line; stopped after the test."""
    with starter(lambda number, *options, **ports: Cloud(
            tmp_path / f"cloud-{number}.log", *options, **ports)) as start:
        yield start


@pytest.fixture
def cloud(start_cloud):
    """A running econduit-sandbox cloud."""
    return start_cloud()


@pytest.fixture
def start_payment_app(tmp_path):
    """A function that starts a sandbox payment application: options as on the command line; stopped after the test."""
    with starter(lambda number, *options, **where: PaymentApp(
            tmp_path / f"payment-app-{number}", *options, **where)) as start:
        yield start


@pytest.fixture
def payment_app(start_payment_app):
    """A running sandbox payment application on a free TCP port."""
    return start_payment_app()
