"""A terminal or two in the model, computed by hand: no round trip, a registration takes a second, chance is fixed."""
from dataclasses import replace

import numpy as np
import pytest

from econduit_terminal.conf.settings import load
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.sandbox.fleet.history import Kind
from econduit_terminal.sandbox.fleet.play import Run, play
from econduit_terminal.sandbox.fleet.product import Product
from econduit_terminal.sandbox.fleet.scenes import BY_NAME, Cloud

SETTINGS = load(None)
A_SECOND = Cloud(budget=1.0)


def played(name, chances, *, outage=0.0, cloud=A_SECOND, settings=SETTINGS, beyond=None, rtt=0.0, watched=0.0):
    chance = np.array(chances)
    run = Run(replace(BY_NAME[name], watched=watched), len(chances), outage, cloud, rtt,
              NetworkReport(beyond=beyond))
    return play(run, Product(settings, len(chances), lambda ids: chance[ids], run.network))


def counts(outcome):
    return [outcome.total(kind) for kind in (Kind.DIAL, Kind.OPEN, Kind.REGISTERED, Kind.WASTED)]


def test_one_terminal_that_is_cut():
    outcome = played("cut", [0.5])                          # dials after half of first_retry, 250 ms
    assert outcome.back.tolist() == [1.125] and counts(outcome) == [1, 1, 1, 0]
    assert outcome.online[[0, 11, 12]].tolist() == [0, 1, 1]


def test_a_round_trip_is_two_thirds_of_what_a_registration_takes():
    assert played("cut", [0.5], rtt=0.1).back.tolist() == pytest.approx([1.325])


def test_two_terminals_wait_for_each_other():
    assert played("cut", [0.2, 0.6]).back.tolist() == [1.05, 2.05]


def test_ten_seconds_of_refusals():
    """Both endpoints at 0.125, 0.375, 0.875, 1.875, 3.875, 7.875 and the primary at 12.875."""
    outcome = played("away", [0.5], outage=10.0)
    assert outcome.back.tolist() == [3.875] and counts(outcome) == [13, 1, 1, 0]


def test_a_host_that_is_gone_is_dialed_once_a_second_at_each_endpoint():
    """The primary from 0.125 on, the secondary half a second later; the primary again at 3.125."""
    outcome = played("vanished", [0.5], outage=3.0)
    assert outcome.back.tolist() == [1.125] and counts(outcome) == [7, 1, 1, 0]


def test_a_cloud_that_hangs_for_less_than_the_answer_may_take():
    outcome = played("crowded", [0.5], outage=5.0)
    assert outcome.back.tolist() == [1.0] and counts(outcome) == [1, 1, 1, 0]


def test_a_cloud_that_hangs_for_longer():
    """Both endpoints get ten seconds and leave two seconds of work in vain, the primary then twenty."""
    outcome = played("crowded", [0.5], outage=20.0)
    assert outcome.back.tolist() == [3.0] and counts(outcome) == [3, 3, 1, 2]


def test_a_crash_loop():
    """Registered at 1.125, dropped a second later, when the cloud works again; dialed after another 0.125."""
    outcome = played("crash-loop", [0.5], outage=1.5)
    assert outcome.back.tolist() == [1.125] and counts(outcome) == [2, 2, 2, 0]


def test_a_full_backlog_takes_one_at_each_endpoint_until_the_cloud_works_again():
    """The first terminal is in the primary's backlog from 0.05 on, the second in the secondary's from 0.65 to 3.65,
    where it leaves a second of work in vain; dropped at 3.65, 4.25 and 4.65, it is accepted at 5.25."""
    outcome = played("backlog", [0.2, 0.6], outage=5.0, cloud=Cloud(1.0, backlog=1))
    assert outcome.back.tolist() == [1.0, 3.0] and counts(outcome) == [7, 3, 2, 1]


def test_the_secondary_takes_those_whom_the_primary_refuses_and_gives_them_back():
    outcome = played("one-endpoint", [0.5], outage=290.0, watched=20.0)
    assert outcome.back.tolist() == [1.125]
    # registered at 1.125 there, the primary is tried 300 s later, and registers it at 302.125
    assert counts(outcome) == [3, 2, 2, 0] and outcome.total(Kind.LOST) == 2
    assert outcome.online[[3005, 3012, 3022]].tolist() == [1, 0, 1]


def test_a_primary_that_still_refuses_is_tried_again_after_the_same_time():
    outcome = played("one-endpoint", [0.5], outage=400.0, watched=210.0)
    assert outcome.total(Kind.DIAL) == 4 and outcome.total(Kind.REGISTERED) == 2
    assert outcome.online[[3012, 6010, 6012, 6022]].tolist() == [1, 1, 0, 1]


def test_one_endpoint_is_enough():
    settings = replace(SETTINGS, cloud=replace(SETTINGS.cloud, secondary=None))
    outcome = played("away", [0.5], outage=1.0, settings=settings)
    assert outcome.back.tolist() == [1.875] and counts(outcome) == [4, 1, 1, 0]      # 0.125, 0.375, 0.875, 1.875


def test_the_watchdog_finds_the_cloud_first_where_the_line_is_known_to_work():
    """A dial from 0.225 to 5.725 ends in silence, which waits as DOWN does: until 14.725. The watchdog's rounds begin
    at 1.225 and, seven seconds later, at 8.225."""
    settings = replace(SETTINGS, reconnect=replace(SETTINGS.reconnect, base_delay=10.0))
    outcome = played("vanished", [0.9], outage=8.0, settings=settings, beyond=True)
    assert outcome.back.tolist() == pytest.approx([1.225])
    assert outcome.total(Kind.PROBE) == 4 and outcome.total(Kind.DIAL) == 12
