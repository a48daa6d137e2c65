"""A supervisord, a cloud and a payment application for each module; a terminal of its own for each test."""
import pytest
from sandbox_client import Cloud, PaymentApp
from supervisord import Supervisor
from terminal_lab import Terminal


@pytest.fixture(scope="module")
def supervisor():
    """A running supervisord with the product's programs, none of them started."""
    with Supervisor() as running:
        yield running


@pytest.fixture(scope="module")
def shared_cloud(tmp_path_factory):
    running = Cloud(tmp_path_factory.mktemp("cloud") / "cloud.log")
    running.start()
    yield running
    running.close()


@pytest.fixture
def cloud(shared_cloud):
    """The module's cloud, behaving well."""
    shared_cloud.behave()
    yield shared_cloud
    shared_cloud.behave()


@pytest.fixture(scope="module")
def payment_app(tmp_path_factory):
    """The module's payment application."""
    running = PaymentApp(tmp_path_factory.mktemp("payment-app"))
    running.start()
    yield running
    running.close()


@pytest.fixture
def make_terminal(supervisor, cloud, payment_app):
    """A function that makes the test's one terminal; settings go on top of those for cloud and payment application."""
    made = []

    def make(settings=(), supervisor=supervisor) -> Terminal:
        terminal = Terminal(supervisor, {
            "cloud.primary": f"127.0.0.1:{cloud.primary}", "cloud.secondary": f"127.0.0.1:{cloud.secondary}",
            "transactions.application": payment_app.address, **dict(settings)})
        made.append(terminal.__enter__())
        return terminal

    yield make
    for terminal in made:
        terminal.__exit__()


@pytest.fixture
def online(make_terminal):
    """A function that makes a terminal, starts its agent and waits until it is online."""
    def start(settings=()) -> Terminal:
        terminal = make_terminal(settings)
        terminal.start()
        terminal.wait_online()
        return terminal
    return start
