"""One whole quick run with the reference terminal and one with the reference cloud,
for every module that looks at them."""
import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from certify_runs import examine

from econduit_terminal.sandbox.certify.bench import Bench
from econduit_terminal.sandbox.certify.device import parse
from econduit_terminal.sandbox.certify.display import AskedDisplay
from econduit_terminal.sandbox.certify.exam import Exam
from econduit_terminal.sandbox.certify.person import Hands, Nobody
from econduit_terminal.sandbox.certify.table.model import Profile


def pytest_collection_modifyitems(items):
    """A whole run takes two minutes, and each process of the tests would have its own."""
    for item in items:
        if "both_runs" in item.fixturenames:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def both_runs(tmp_path_factory):
    """Both runs, side by side: they wait most of the time."""
    with ThreadPoolExecutor(2) as pool:
        terminal = pool.submit(examine, "terminal", None, tmp_path_factory.mktemp("reference-terminal"))
        cloud = pool.submit(examine, "cloud", None, tmp_path_factory.mktemp("reference-cloud"))
        return terminal.result(), cloud.result()


@pytest.fixture(scope="session")
def terminal_run(both_runs):
    return both_runs[0]


@pytest.fixture(scope="session")
def cloud_run(both_runs):
    return both_runs[1]


@pytest.fixture
def holds():
    """holds(run, scenes): every case of these scenes that applies came to a good end in the run, with its bytes."""
    def check(run, scenes, inconclusive=()):
        cases = {case["case"]: case for case in run.result["cases"]}
        tried = [case for scene in scenes for case in scene.cases if case.id in cases]
        assert tried
        for case in tried:
            found = cases[case.id]
            wanted = {"INCONCLUSIVE", "N/A"} if case.id in inconclusive else {"PASS", "INFO", "N/A"}
            assert found["verdict"] in wanted, found
        return [cases[case.id] for case in tried]

    return check


@pytest.fixture
def on_a_bench():
    """on_a_bench(play, device=TOML): runs `await play(exam)` with two open ports, and closes them."""
    def run(play, device: str = ""):
        async def whole():
            declared, mistakes = parse(device)
            assert not mistakes
            bench = Bench("127.0.0.1", (0, 0))
            hands = Hands(declared.hooks, Nobody(), lambda text: None)
            exam = Exam(declared, bench, AskedDisplay(hands, lambda: bench.now), hands, Profile.QUICK, "T")
            await bench.open()
            try:
                return await asyncio.wait_for(play(exam), 60)
            finally:
                await bench.shut_down()
        return asyncio.run(whole())

    return run
