"""The terminals of one process of a load."""
import socket
from dataclasses import dataclass, replace

import pytest

from econduit_terminal.conf.settings import SettingsError
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.sandbox.fleet.load.here import Here, address
from econduit_terminal.sandbox.fleet.load.plan import Plan

PLAN = Plan((Endpoint("127.0.0.1", 9),), "http://127.0.0.1:9", 4, 100.0, None, None, 5.0, 600.0, None, 2.0, 0.5, "L",
            (), None, None, "sandbox", "sandbox")


@dataclass
class Runner:
    worker_index: int = 0


class Told(list[dict[str, object]]):
    """What Locust is told."""

    def __call__(self, **fields: object) -> None:
        self.append(fields)


@pytest.fixture
def here() -> Here:
    made = Here()
    made.start(PLAN)
    return made


def test_numbers_are_given_once_and_again_when_they_are_free(here):
    told = Told()
    first, second = here.enter(told, Runner()), here.enter(told, Runner())
    assert (first[1].id, second[1].id) == ("L000000000", "L000000001")
    here.leave(first[0])
    assert here.enter(told, Runner())[1].id == "L000000000"
    assert here.enter(told, Runner())[1].id == "L000000002"
    assert here.take_changes() == [("L000000000", pytest.approx(0, abs=1e12), None)] and here.take_changes() == []


def test_no_two_workers_have_one_terminal_id():
    names = set()
    for worker in range(12):
        here = Here()
        here.start(PLAN)
        names |= {here.enter(Told(), Runner(worker))[1].id for _ in range(12)}
    assert len(names) == 144


def test_without_workers_the_index_is_not_negative(here):
    assert here.enter(Told(), Runner(-1))[1].id == "L000000000"


def test_what_happens_is_told_to_locust_and_kept_for_the_master(here):
    told = Told()
    _, terminal = here.enter(told, Runner())
    witness = terminal._witness
    witness.dialed(PLAN.endpoints[0], 0.25, "refused")
    witness.dialed(PLAN.endpoints[0], 0.5, None)
    witness.registered(0.125)
    witness.lost("closed by the cloud")
    witness.not_registered(3.0, "no answer")
    witness.registered(0.125)
    witness.acknowledged(0.01)
    witness.answered(99)
    assert [(row["name"], row["exception"] is not None) for row in told] == [
        ("dial 127.0.0.1:9", True), ("dial 127.0.0.1:9", False), ("registration", False), ("registration", True),
        ("registration", False), ("offline until registered", False), ("heartbeat", False), ("answer", False)]
    assert told[0]["response_time"] == 250.0 and str(told[0]["exception"]) == "refused"
    assert [online for _, _, online in here.take_changes()] == [True, False, True]


def test_a_lack_of_the_machine_is_said_but_not_by_every_terminal(here, caplog):
    for _ in range(3):
        here.enter(Told(), Runner())[1]._witness.exhausted("no source port is left")
    assert [record.message for record in caplog.records] == ["no source port is left"]


def test_a_till_takes_a_terminal_that_is_free(here):
    assert here.free_terminal() is None
    fleet = [here.enter(Told(), Runner())[1] for _ in range(3)]
    assert here.free_terminal() is None         # none is registered
    fleet[1].online = fleet[2].online = True
    fleet[2].application.take(b"{}", 0.0)
    assert here.free_terminal() is fleet[1]
    assert here.free_terminal() is None         # it is taken
    here.release(fleet[1])
    assert here.free_terminal() is fleet[1]
    assert here.pause == pytest.approx(1.0)     # 3 tills, 2 sales a second, half a second each


def test_sources_go_round(here):
    here.plan = replace(PLAN, sources=("127.0.1.1", "127.0.1.2"))
    assert [here.enter(Told(), Runner(1))[1]._source for _ in range(3)] == ["127.0.1.2", "127.0.1.1", "127.0.1.2"]


def test_what_cannot_be_used_is_an_error(tmp_path):
    (tmp_path / "a.ini").write_text("[cloud]\nprimary = nowhere\n")
    with pytest.raises(SettingsError):
        Here().start(replace(PLAN, config_dir=str(tmp_path)))
    with pytest.raises(OSError):
        address(Endpoint("name.invalid", 9))
    assert address(Endpoint("::1", 9))[0] == socket.AF_INET6
