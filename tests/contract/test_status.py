"""The status as JSON and back."""
import json

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.reader import ContractError
from econduit_terminal.contract.status import EndpointStatus, Outcome, Phase, Status

WHOLE = Status(
    online=False, idle=False, reason="cable unplugged", since="2026-11-23T07:50:24.123Z", terminal_id="29531204",
    endpoint="dc.econduitapp.com:80", local_address="192.0.2.7", interface="eth0", last_ack="2026-11-23T07:50:24.123Z",
    connects=3, disconnects={"cable unplugged": 2}, network=NetworkReport("cable unplugged"), phase=Phase.WAITING,
    endpoints=(EndpointStatus("dc.econduitapp.com:80", Outcome.REFUSED, ("192.0.2.1",)),), retry_in=0.5,
    transactions={"received": 1}, problems={"journal": "disk full"}, pid=7, version="1.1.0", valid_for=10.0,
    written_uptime=12.5)
ANY_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@pytest.mark.parametrize("status", [WHOLE, Status(), Status(online=True)])
def test_there_and_back(status):
    assert Status.from_json(json.loads(status.to_line())) == status


def test_what_follows_from_the_rest_is_said_too():
    said = WHOLE.to_json()
    assert (said["display"], said["remedy"]) == ("POS Offline", "Plug the network cable in at both ends")
    said = Status(online=True, reason=None).to_json()
    assert (said["display"], said["remedy"]) == ("POS Online", "")


def test_a_status_of_1_0_0_is_taken():
    said = WHOLE.to_json()
    for key in ("remedy", "endpoints", "valid_for", "written_uptime"):
        del said[key]
    said["network"] = {}
    status = Status.from_json(said)
    assert (status.endpoints, status.valid_for, status.network) == ((), None, None)


def test_a_line_is_one_line_of_ascii():
    line = Status(reason="über\n").to_line()
    assert line.isascii() and line.count(b"\n") == 1 and line.endswith(b"\n")


@pytest.mark.parametrize("key, value", [
    ("online", "yes"), ("pid", "7"), ("pid", True), ("connects", float("inf")), ("endpoints", [1]), ("phase", "asleep"),
    ("endpoints", [{"outcome": "eaten"}]), ("problems", {"a": 1}), ("disconnects", {"a": "b"}), ("network", 5)])
def test_wrong_types_are_refused_by_name(key, value):
    with pytest.raises(ContractError, match=rf"^{key}"):
        Status.from_json({**WHOLE.to_json(), key: value})


@given(st.dictionaries(st.sampled_from(sorted(WHOLE.to_json())), ANY_JSON))
def test_any_values_are_taken_or_refused(values):
    try:
        status = Status.from_json({**WHOLE.to_json(), **values})
    except ContractError:
        return
    assert Status.from_json(status.to_json()) == status
