"""The plan goes to every process as text."""
from dataclasses import replace

import pytest

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.sandbox.fleet.load.plan import Plan, read

PLAN = Plan((Endpoint("cloud", 9000), Endpoint("::1", 9001)), "http://cloud:9080", 2000, 100.0, "cut", None, 5.0, 600.0,
            None, 200.0, 1.5, "L", ("127.0.1.1",), None, "back.json", "sandbox", "sandbox")


def test_it_comes_back_as_it_was():
    assert read(PLAN.to_text()) == PLAN


@pytest.mark.parametrize("text", ["", "[]", "{}", PLAN.to_text().replace("ramp", "speed")])
def test_the_plan_of_another_version_is_refused(text):
    with pytest.raises(ValueError):
        read(text)


@pytest.mark.parametrize("sales, latency, tills", [(200.0, 1.5, 500), (0.1, 0.0, 1), (0.0, 1.5, 0)])
def test_tills(sales, latency, tills):
    assert replace(PLAN, sales=sales, latency=latency).points_of_sale == tills
