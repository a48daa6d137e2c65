from datetime import UTC, datetime, timedelta

import pytest

from econduit_terminal.agent.cli import show
from econduit_terminal.agent.status.store import StatusStore
from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.status import EndpointStatus, Outcome, Phase, Status

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("seconds, words", [
    (0.04, "0.0 s"), (9.9, "9.9 s"), (10, "10 s"), (59.4, "59 s"), (60, "1 min"), (200, "3 min 20 s"),
    (3600, "1 h"), (7500, "2 h 5 min"), (86400, "1 d"), (90000, "1 d 1 h")])
def test_duration(seconds, words):
    assert show.duration(seconds) == words


def test_colours_are_green_and_red():
    store = StatusStore("1", wall=lambda: NOW)
    assert show.headline(store.snapshot(), True).startswith(show.RED)
    store.online("h:80", "10.0.0.2", "eth0")
    assert show.headline(store.snapshot(), True) == f"{show.GREEN}POS Online{show.PLAIN}"


def test_all_that_support_asks_first():
    store = StatusStore("29531204", "1.0", wall=lambda: NOW)
    store.online("h:80", "10.0.0.2", "eth0")
    store.acked()
    store.offline("no internet")
    store.phase(Phase.WAITING, 4)
    store.network(NetworkReport.from_json(
        {"verdict": "no internet", "detail": "the gateway answers, nothing behind it"}))
    store.transactions({"answered": 2, "failed": 0})
    store.problem("display", "port taken")
    text = show.full(store.snapshot(), NOW + timedelta(seconds=200), False)
    for part in ("POS Offline: no internet", "(3 min 20 s)", "29531204", "in 4.0 s", "1 no internet", "2 answered",
                 "no internet: the gateway answers", "display: port taken", "last ack"):
        assert part in text, part


@pytest.mark.parametrize("since", ["", "long ago", "2026-11-23T08:00:00", "0001-01-01T00:00:00+23:59"])
def test_a_time_that_another_program_wrote(since):
    assert show.full(Status(since=since), NOW, False).startswith("POS Offline\n")


def test_what_the_last_dial_found_at_each_endpoint():
    store = StatusStore("1", wall=lambda: NOW)
    assert "last dial" not in show.full(store.snapshot(), NOW, False)
    store.endpoints((EndpointStatus("cloud.test:80", Outcome.NOT_THE_CLOUD, ("192.168.1.1",)),
                     EndpointStatus("[fd00::10]:9001", Outcome.REFUSED, ("fd00::10",)),
                     EndpointStatus("other.test:80", Outcome.UNTRIED)))
    text = show.full(store.snapshot(), NOW, False)
    assert "  last dial     cloud.test:80: not the cloud (192.168.1.1)\n" in text
    assert "  last dial     [fd00::10]:9001: refused\n" in text and "other.test" not in text


def test_a_line_for_watch():
    store = StatusStore("1", wall=lambda: NOW)
    store.online("h:80", "10.0.0.2", "eth0")
    store.idle(False)
    assert show.line(store.snapshot(), NOW, False).endswith(
        "  POS Online · h:80 over eth0 (10.0.0.2) · transaction in progress")
    store.offline("reset")
    assert show.line(store.snapshot(), NOW, False).endswith("  POS Offline: reset · transaction in progress")
    store.phase(Phase.DIALING)
    assert show.line(store.snapshot(), NOW, False).endswith("  POS Offline: reset · dialing · transaction in progress")
