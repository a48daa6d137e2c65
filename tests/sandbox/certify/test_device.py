"""device.toml: every mistake with its line and key: pure."""
import pytest
from hypothesis import given, strategies as st

from econduit_terminal.sandbox.certify.device import KEYS, Ack, Device, Format, parse, template
from econduit_terminal.sandbox.certify.table.model import Need

DESIGN = '''# device.toml; every key has its default
[device]
terminal_type = "TerminalManufacturer"
terminal_id = "29531204"
format = "json"                 # json | xml | stx
heartbeat = "60s"
ack = "true"
transaction = "10s"
[display]
url = "http://127.0.0.1:8650/status"
[application]
echo = true
[hooks]
cable_out = ""
cable_in = ""
'''


def test_the_designs_own_example():
    device, mistakes = parse(DESIGN)
    assert mistakes == []
    assert device == Device("TerminalManufacturer", "29531204", display_url="http://127.0.0.1:8650/status", echo=True)


@pytest.mark.parametrize("line, place, words", [
    ('format = "josn"', "device.format", "did you mean json?"), ("format = 1", "device.format", "is no text"),
    ('format = "JSON"', "device.format", "did you mean json?"),
    ('heartbeat = "٣s"', "device.heartbeat", "is no duration"),
    ('heartbeat = "60"', "device.heartbeat", "the unit is missing"), ("heartbeat = 60", "device.heartbeat",
    "is no text"),
    ('heartbeat = "0s"', "device.heartbeat", "out of range"), ('heartbeat = "-1s"', "device.heartbeat", "no duration"),
    ('heartbeat = "1e3s"', "device.heartbeat", "no duration"), ('transaction = "2h"', "device.transaction",
    "out of range"),
    ('hartbeat = "60s"', "device.hartbeat", "did you mean heartbeat?"), ("ack = true", "device.ack", "is no text"),
    ('ack = "yes"', "device.ack", '"true", "false" or "both"'), ('secondary = "yes"', "device.secondary",
    "neither true nor false"),
    ("secondary = 1", "device.secondary", "neither true nor false"), ('terminal_id = "a\\u0000"',
    "device.terminal_id", "control"),
    ('terminal_id = """a\nb"""', "device.terminal_id", "more than one line"), ("terminal_id = 29531204",
    "device.terminal_id", "is no text"),
    ('echo = true', "device.echo", "belongs in [application]"), ('url = "x"', "device.url", "belongs in [display]"),
    ("terminal_id = ", "device.terminal_id", "no valid TOML"), ("terminal_id = 'x", "device.terminal_id",
    "no valid TOML"),
])
def test_mistakes_in_device(line, place, words):
    _, mistakes = parse(f"[device]\n# a comment\n{line}\n")
    assert [(mistake.line, mistake.key) for mistake in mistakes] == [(3, place)]
    assert words in mistakes[0].text, mistakes


@pytest.mark.parametrize("text, line, place, words", [
    ('[display]\nurl = "127.0.0.1:8650"\n', 2, "display.url", "no http address"),
    ('[display]\nurl = "http://h:99999/"\n', 2, "display.url", "no port 99999"),
    ('[display]\npresent = false\nurl = "http://h/"\n', 3, "display.url", "no url"),
    ('[application]\necho = true\nrequest = "x {RefID}"\n', 3, "application.request", "leave one"),
    ('[application]\nrequest = "x"\n', 2, "application.request", "{RefID} is missing"),
    ('[hooks]\ncable_out = "x"\n', 2, "hooks.cable_out", "hooks.cable_in is missing"),
    ('[hooks]\ncable_off = "x"\n', 2, "hooks.cable_off", "did you mean cable_out?"),
    ('[divice]\nack = "true"\n', 1, "divice", "did you mean device?"), ("device = 1\n", 1, "device",
    "a table is wanted"),
    ('heartbeat = "1s"\n', 1, "heartbeat", "belongs in [device]"), ("[[device]]\n", 1, "device", "a table is wanted"),
    ('device.heartbeat = "x"\n', 1, "device.heartbeat", "no duration"),
])
def test_mistakes_elsewhere(text, line, place, words):
    _, mistakes = parse(text)
    assert (mistakes[0].line, mistakes[0].key) == (line, place) and words in mistakes[0].text, mistakes


def test_all_of_them_in_one_go_in_the_order_of_lines():
    _, mistakes = parse('[device]\nformat = "x"\nack = \nnope = 1\n[display]\nurl = 5\n[oh]\n')
    assert [(mistake.line, mistake.key) for mistake in mistakes] == [
        (2, "device.format"), (3, "device.ack"), (4, "device.nope"), (6, "display.url"), (7, "oh")]


def test_values():
    device, mistakes = parse('\ufeff[device]\nformat = "stx"\nheartbeat = "1.5min"\nack = "both"\nsecondary = false\n'
                             '[hooks]\ncable_out = "a"\ncable_in = "b"\n')
    assert mistakes == []
    assert (device.format, device.heartbeat, device.ack, device.secondary) == (Format.STX, 90.0, Ack.BOTH, False)
    assert device.hooks == {"cable_out": "a", "cable_in": "b"}
    assert device.absent() == {Need.SECONDARY, Need.WIFI}


def test_the_template_is_right_and_has_every_key():
    text = template()
    assert parse(text) == (Device(), [])
    assert all(f"\n{key.name} = " in text for keys in KEYS.values() for key in keys)


@given(st.text(alphabet='[]=".#\n devicakeyht1s', max_size=60))
def test_it_never_raises(text):
    parse(text)
