"""The table of controls and which fault applies: pure."""
import json

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.sandbox.cloud.faults import (
    CONTROLS,
    MAX_FAULTS,
    REQUIRED,
    ControlError,
    Faults,
    parameters_of,
    read,
)


def added(faults: Faults, name: str, **given):
    return faults.add(name, read(name, given))


@pytest.mark.parametrize("name, given, key, want", [
    ("segments", {}, "size", (1,)), ("segments", {"size": "3,1"}, "size", (3, 1)),
    ("segments", {"size": 5}, "size", (5,)),
    ("segments", {"size": [2, "4"]}, "size", (2, 4)), ("delay", {"seconds": "0.5"}, "seconds", 0.5),
    ("eot", {"with": "no"}, "with", False), ("eot", {"with": True}, "with", True),
    ("refuse", {"times": "3"}, "times", 3), ("drop", {"part": "3/10"}, "part", (3, 10)),
    ("raw", {"data": "AP8="}, "data", b"\x00\xff"), ("glue", {"amounts": "1.00,2.00"}, "amounts", ("1.00", "2.00")),
])
def test_reads_json_and_query_text_alike(name, given, key, want):
    assert read(name, given)[key] == want


@pytest.mark.parametrize("name, given, said", [
    ("nothing", {}, "there are"), ("drop", {"speed": 1}, "it takes"), ("delay", {}, "needs seconds"),
    ("delay", {"seconds": "inf"}, "0 to 86400"), ("delay", {"seconds": "x"}, "a number"),
    ("delay", {"seconds": True}, "0 to"),
    ("raw", {}, "data (base64) or text"), ("raw", {"data": "AA==", "text": "a"}, "either"),
    ("raw", {"data": "%"}, "base64"),
    ("drop", {"part": "4/3"}, "such as 3/10"), ("drop", {"part": "1"}, "a number"),
    ("refuse", {"times": 0}, "1 to"), ("refuse", {"times": "many"}, "a number"), ("refuse", {"answer": 5}, "a text"),
    ("segments", {"size": 0}, "1 to"), ("segments", {"size": []}, "1 to 100"),
    ("eot", {"with": "perhaps"}, "yes or no"),
    ("eot", {"on": "everything"}, "one of"), ("break", {"on": ["request"]}, "one of"),
    ("eot", {"with": {}}, "yes or no"),
])
def test_says_what_is_accepted(name, given, said):
    with pytest.raises(ControlError) as mistake:
        read(name, given)
    assert said in str(mistake.value)


json_values = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
                           lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2))


@given(st.sampled_from(sorted(CONTROLS)), st.data())
def test_any_value_is_read_or_refused(name, data):
    keys = sorted(parameters_of(CONTROLS[name]))
    try:
        read(name, data.draw(st.dictionaries(st.sampled_from(keys), json_values)))
    except ControlError as mistake:
        assert str(mistake)


def test_the_newest_fault_in_scope_wins_and_is_used_up():
    faults = Faults()
    added(faults, "refuse", answer="ALL")
    added(faults, "refuse", answer="ONE", terminal="T1", times=1)
    assert faults.take("refuse", "T1", "primary").values["answer"] == "ONE"
    assert faults.take("refuse", "T1", "primary").values["answer"] == "ALL"
    assert faults.take("refuse", None, "secondary").values["answer"] == "ALL"
    assert faults.take("dead", "T1", "primary") is None


@pytest.mark.parametrize("scope, terminal, port, on, fits", [
    ({}, None, "primary", "ack", True), ({"terminal": "T1"}, None, "primary", "ack", False),
    ({"terminal": "T1"}, "T1", "primary", "ack", True), ({"port": "secondary"}, "T1", "primary", "ack", False),
    ({"on": "transaction"}, "T1", "primary", "ack", False),
    ({"on": "ack", "port": "primary"}, "T1", "primary", "ack", True),
])
def test_scope(scope, terminal, port, on, fits):
    faults = Faults()
    added(faults, "eot", **scope)
    assert (faults.find("eot", terminal, port, on) is not None) == fits


def test_clear_by_name_and_scope():
    faults = Faults()
    added(faults, "dead", terminal="T1")
    added(faults, "dead")
    added(faults, "refuse", terminal="T1")
    assert faults.clear("dead", "T1") == 1
    assert [fault["fault"] for fault in faults.listing()] == ["dead", "refuse"]
    assert faults.clear(terminal="T1") == 1
    assert faults.clear() == 1 and faults.listing() == []


def test_there_is_an_end_to_faults():
    faults = Faults()
    for _ in range(MAX_FAULTS):
        added(faults, "dead")
    with pytest.raises(ControlError, match="reset"):
        added(faults, "dead")


def test_every_control_is_described_and_listed_as_json():
    for name, control in CONTROLS.items():
        assert control.help and all(parameter.help for parameter in parameters_of(control).values())
        if control.stays and not any(p.default is REQUIRED for p in control.parameters.values()) and name not in (
                "replace", "greet"):
            faults = Faults()
            added(faults, name)
            assert json.dumps(faults.listing())
