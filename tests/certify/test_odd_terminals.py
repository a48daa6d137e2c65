"""Terminals that are right in a way of their own pass, in the very cases in which one might blame them."""
from concurrent.futures import ThreadPoolExecutor

import pytest
from certify_runs import ODD, examine


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Side by side: they wait most of the time."""
    with ThreadPoolExecutor(len(ODD)) as pool:
        jobs = {name: pool.submit(examine, "terminal", name, tmp_path_factory.mktemp(name), "--only",
                                  ",".join(odd.cases)) for name, odd in ODD.items()}
        return {name: job.result() for name, job in jobs.items()}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ODD)
def test_it_passes(runs, name):
    run = runs[name]
    assert not run.bad and run.status == 0 and set(run.verdicts) == set(ODD[name].cases), run.output
