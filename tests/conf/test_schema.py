"""The schema and the shipped files say the same, key by key; the manual page is made from the latter."""
import re
from dataclasses import replace
from pathlib import Path

import pytest

from econduit_terminal.conf import ini, schema, settings
from econduit_terminal.conf.values import Endpoint

FILES = sorted(Path(settings.__file__).parent.glob("*.ini"))
ENTRIES = [(file, entry) for file in FILES for entry in ini.parse(file.read_bytes()).entries]


def comment_above(file: Path, line: int) -> list[str]:
    lines = file.read_text().splitlines()[:line - 1]
    block = []
    while lines and lines[-1].startswith("#"):
        block.insert(0, lines.pop().removeprefix("#").removeprefix(" "))
    return block


def test_the_shipped_files():
    assert [file.name for file in FILES] == ["reconnect.ini", "terminal.ini", "watchdog.ini"]
    for file in FILES:
        assert ini.parse(file.read_bytes()).mistakes == ()


def test_every_key_is_shipped_once_and_no_other():
    shipped = [(entry.section, entry.key) for _, entry in ENTRIES]
    assert len(set(shipped)) == len(shipped)
    assert sorted(shipped) == sorted((section, key) for section, keys in schema.SECTIONS.items() for key in keys)


@pytest.mark.parametrize("file, entry", ENTRIES, ids=[f"{entry.section}.{entry.key}" for _, entry in ENTRIES])
def test_every_key_says_what_it_is_when_to_change_it_and_what_it_accepts(file, entry):
    *text, accepted = comment_above(file, entry.line)
    assert accepted == f"Accepted: {schema.SECTIONS[entry.section][entry.key].accepts}"
    assert [line for line in text if line.startswith("Change it ")], "when would somebody change it?"
    assert text[0][0].isupper() and not text[0].startswith("Change it"), "what is it?"
    assert file.read_text().splitlines()[entry.line - 1] == f"{entry.key} = {entry.value}".rstrip()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_section_has_its_description(file):
    for section, line in ini.parse(file.read_bytes()).sections:
        assert comment_above(file, line), section
    assert all(len(line) <= 120 for line in file.read_text().splitlines() if line.startswith("#"))


def test_the_cellular_profile_is_accepted_as_it_stands_in_the_comment(tmp_path):
    text = next(file for file in FILES if file.name == "reconnect.ini").read_text()
    (tmp_path / "cellular.ini").write_text("\n".join(re.findall(r"^#     (.*)$", text, re.MULTILINE)))
    reconnect = settings.load(tmp_path).reconnect
    assert (reconnect.keepalive_idle, reconnect.keepalive_interval, reconnect.keepalive_count,
            reconnect.user_timeout, reconnect.doubt_after) == (10, 5, 3, 25, 3)


def test_the_testing_endpoint_is_named():
    assert "orddev1.blacklinepartners.com:9001" in (Path(settings.__file__).parent / "terminal.ini").read_text()


def together(*_):
    return True


def apart(*_):
    return False


def test_rules_between_keys_need_both_values():
    parsed = {("reconnect", "base_delay"): 5.0, ("reconnect", "max_delay"): 1.0}
    (section, keys, what), = schema.conflicts(parsed, together)
    assert (section, keys) == ("reconnect", ("base_delay", "max_delay"))
    assert what == "base_delay (5s) is more than max_delay (1s), accepted: base_delay of at most max_delay"
    assert schema.conflicts({("reconnect", "base_delay"): 5.0}, together) == []
    assert schema.conflicts({}, together) == []


@pytest.mark.parametrize("low", ["base_delay", "first_retry"])
def test_a_delay_above_a_default_that_nobody_chose_is_no_mistake(low):
    assert schema.conflicts({("reconnect", low): 5.0, ("reconnect", "max_delay"): 1.0}, apart) == []


def test_an_answer_is_never_erased_before_it_is_too_late_to_send_it():
    parsed = {("transactions", "late_answer"): 600.0, ("transactions", "keep"): 60.0}
    assert len(schema.conflicts(parsed, apart)) == 1


def test_the_endpoints_of_the_cloud_the_primary_first():
    cloud = settings.load(None).cloud
    primary, secondary = Endpoint("a.test", 1), Endpoint("b.test", 2)
    assert replace(cloud, primary=primary, secondary=secondary).endpoints == (primary, secondary)
    assert replace(cloud, primary=primary, secondary=None).endpoints == (primary,)
