"""The network report as it arrives: whole, safe, or refused by the field's name."""
import contextlib
import json

import pytest
from hypothesis import given, strategies as st

from econduit_terminal.contract.network_report import NetworkReport
from econduit_terminal.contract.reader import MAX_ITEMS, MAX_TEXT, ContractError, parse_object

WHOLE = {
    "verdict": "cable unplugged", "detail": "eth0 has no carrier", "usable": False, "path": "dead", "bind": "wlan0",
    "lost": {"192.168.1.5": "cable unplugged"}, "dial": True, "verify": True,
    "interfaces": [{"name": "eth0", "kind": "ethernet", "usable": False, "state": "down",
                    "addresses": ["192.168.1.5"]}],
    "addresses": {"dc.econduitapp.com": ["203.0.113.10", "2001:db8::10"]}, "beyond": False,
    "network": "gateway 02:00:00:00:00:01", "open": ["econduitapp.com:9001"],
    "sent": "2026-11-23T07:50:24.123Z",
}
ANY_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


def parse(value):
    return NetworkReport.from_json(parse_object(json.dumps(value).encode())).to_json()


def test_a_whole_report_comes_through_and_unknown_keys_do_not():
    assert parse({**WHOLE, "weather": "fine"}) == WHOLE


def test_defaults():
    assert parse({"verdict": "online", "bind": None, "lost": None}) == {
        "verdict": "online", "detail": "", "usable": True, "path": "unknown", "bind": None, "lost": {}, "dial": False,
        "verify": False, "interfaces": [], "addresses": {}, "beyond": None, "network": None, "open": [],
        "sent": None}


@pytest.mark.parametrize("key, value", [
    ("verdict", 1), ("verdict", ""), ("verdict", None), ("detail", []), ("usable", "yes"), ("usable", 1),
    ("path", "fine"), ("path", 3), ("bind", 7), ("bind", "a name too long for one"), ("bind", "../x"), ("bind", "a b"),
    ("bind", "e\n"), ("lost", ["a"]), ("lost", {"a": 1}), ("lost", {str(n): "x" for n in range(MAX_ITEMS + 1)}),
    ("dial", 0), ("verify", "true"), ("interfaces", {}), ("interfaces", ["eth0"]),
    ("interfaces", [{"kind": "carrier"}]),
    ("interfaces", [{"addresses": [1]}]), ("interfaces", [{"addresses": "1"}]), ("interfaces", [{}] * (MAX_ITEMS + 1)),
    ("addresses", ["192.0.2.1"]), ("addresses", {"dc": "192.0.2.1"}), ("addresses", {"dc": [1]}),
    ("addresses", {"dc": ["nowhere"]}), ("addresses", {"dc": ["192.0.2.1:80"]}), ("addresses", {"dc": [""]}),
    ("addresses", {"dc": ["192.0.2.1"] * (MAX_ITEMS + 1)}), ("addresses", {str(n): [] for n in range(MAX_ITEMS + 1)}),
    ("beyond", "yes"), ("beyond", 1), ("network", 5), ("network", ["02:00:00:00:00:01"]), ("open", "ec:9001"),
    ("open", {}), ("open", [None]), ("open", ["x"] * (MAX_ITEMS + 1)),
    ("sent", 5),
])
def test_wrong_types_are_refused_by_name(key, value):
    with pytest.raises(ContractError, match=rf"^{key}"):
        parse({**WHOLE, key: value})


@pytest.mark.parametrize("body", [
    b"{", b"[]", b"1", b"null", b"\xff", b"[" * 60000, b'{"verdict": NaN}', b"9" * 5000, b'{"verdict":"a"} x'])
def test_bodies_that_are_no_object(body):
    with pytest.raises(ContractError, match="send a JSON object"):
        parse_object(body)


def test_an_empty_body_is_an_empty_object():
    assert parse_object(b" ") == {}


def test_text_is_made_safe():
    report = parse({"verdict": "a\x1b[2Jb\ud800", "detail": "x" * 1000})
    assert "\x1b" not in report["verdict"] and len(report["detail"]) <= MAX_TEXT
    report["verdict"].encode()


@given(st.dictionaries(st.sampled_from(list(WHOLE)), ANY_JSON))
def test_any_values_are_taken_whole_or_refused(values):
    try:
        report = parse({**WHOLE, **values})
    except ContractError:
        return
    assert list(report) == list(WHOLE)
    assert parse(report) == report


@given(st.binary())
def test_any_bytes(body):
    with contextlib.suppress(ContractError):
        NetworkReport.from_json(parse_object(body))


@pytest.mark.parametrize("said, beyond", [
    ({}, True), ({"beyond": None}, None), ({"beyond": False}, False), ({"beyond": True}, True)])
def test_a_path_that_works_stands_in_for_what_a_watchdog_of_the_first_release_does_not_say(said, beyond):
    """One of today that cannot tell says so: a cloud that refuses is no witness for the line once it falls silent."""
    assert NetworkReport.from_json({"verdict": "cloud not answering", "path": "works", **said}).beyond is beyond
    assert NetworkReport.from_json({"verdict": "no internet", "path": "dead"}).beyond is None
