import pytest
from hypothesis import given, strategies as st
from prometheus_client.parser import text_string_to_metric_families

from econduit_terminal.agent.status.metrics import MAX_OBSERVED, MAX_REASONS, Measures
from econduit_terminal.agent.status.store import StatusStore
from econduit_terminal.contract.network_report import NetworkReport


def samples(store):
    return {(sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(store.metrics()) for sample in family.samples}


def test_names_are_a_contract():
    now = [0.0]
    store = StatusStore("1", "9.9", monotonic=lambda: now[0])
    store.online("h:80", "a", "eth0")
    now[0] += 1
    store.acked()
    now[0] += 2
    store.network(NetworkReport.from_json({"verdict": "online"}))
    store.transactions({"answered": 3, "failed": 1, "pending": 2})
    store.problem("display", "taken")
    store.observe("register", 0.25)
    store.observe("register", 0.5)
    now[0] += 4
    got = samples(store)
    assert got["econduit_build_info", "9.9"] == 1
    assert got["econduit_online",] == 1
    assert got["econduit_idle",] == 1
    assert got["econduit_connects_total",] == 1
    assert got["econduit_offline_seconds_total", "starting"] == 0
    assert got["econduit_heartbeat_acks_total",] == 1
    assert got["econduit_last_ack_age_seconds",] == 6
    assert got["econduit_watchdog_report_age_seconds",] == 4
    assert got["econduit_transactions_total", "answered"] == 3
    assert got["econduit_transactions_pending",] == 2 and ("econduit_transactions_total", "pending") not in got
    assert got["econduit_problem", "display"] == 1
    assert (got["econduit_register_seconds_sum",], got["econduit_register_seconds_count",]) == (0.75, 2)
    assert ("econduit_retry_in_seconds",) not in got
    store.offline("cable unplugged")
    store.phase("waiting", 3)
    now[0] += 1
    got = samples(store)
    assert got["econduit_online",] == 0
    assert got["econduit_disconnects_total", "cable unplugged"] == 1
    assert got["econduit_offline_seconds_total", "cable unplugged"] == 1
    assert got["econduit_retry_in_seconds",] == 2


def test_offline_time_belongs_to_the_reason_that_held():
    measures = Measures("starting", 10.0)
    measures.offline("no address", 11.0)
    measures.offline("no internet", 13.0)
    measures.online(16.0)
    measures.offline("no address", 20.0)
    assert measures.offline_seconds(25.0) == {"starting": 1.0, "no address": 7.0, "no internet": 3.0}
    assert measures.disconnects == {"no address": 1}


@pytest.mark.parametrize("reason, kept", [
    ("registration refused: go away", 1),
    ("reason", 1),
])
def test_equal_reasons_are_one_label(reason, kept):
    measures = Measures("starting", 0)
    for number in range(200):
        measures.online(number)
        measures.offline(f"{reason}{number}" if ":" in reason else reason, number)
    assert len(measures.disconnects) == kept


def test_how_many_bytes_came_is_no_label():
    measures = Measures("starting", 0)
    for number in range(10):
        measures.online(number)
        measures.offline(f"a message broke off after {number} bytes", number)
    assert measures.disconnects == {"a message broke off": 10}


def test_labels_are_bounded():
    measures = Measures("starting", 0)
    for number in range(10 * MAX_REASONS):
        measures.online(number)
        measures.offline(f"reason {number}", number)
        measures.observe(f"step {number}", 1)
    assert len(measures.disconnects) <= MAX_REASONS + 1
    assert measures.disconnects["other"] == 10 * MAX_REASONS - (MAX_REASONS - 1)
    assert len(measures.observed) == MAX_OBSERVED


@given(st.text(max_size=50))
def test_any_text_is_a_label(text):
    store = StatusStore("1")
    store.online("h:80", "a", "b")
    store.offline(text)
    store.transactions({text: 1})
    store.problem(text, "x")
    got = samples(store)
    assert got["econduit_transactions_total", text] == 1
    assert got["econduit_problem", text] == 1
