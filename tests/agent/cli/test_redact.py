import pytest

from econduit_terminal.agent.cli.redact import HIDDEN, redact


@pytest.mark.parametrize("text, hidden", [
    ("password = hunter2", "password = "),
    ("wifi_psk: 'two words'", "wifi_psk: "),
    ('{"Password": "x y", "a": 1}', '{"Password": '),
    ("POST /x?token=abc&b=1", "POST /x?token="),
    ("API_KEY=abc", "API_KEY="),
])
def test_what_stands_behind_a_telling_name_is_hidden(text, hidden):
    assert redact(text).startswith(hidden + HIDDEN)
    assert not any(secret in redact(text) for secret in ("hunter2", "words", "x y", "abc"))


@pytest.mark.parametrize("program", ["exec:/opt/pay", "exec: /opt/pay"])
def test_the_arguments_of_a_program_are_hidden_and_its_path_is_not(program):
    text = f"transactions.application = {program} --login me:secret\nnext = 1\n"
    assert redact(text) == f"transactions.application = {program} {HIDDEN}\nnext = 1\n"


def test_card_numbers_are_masked():
    assert "4111111111111111" not in redact("RefID 4111111111111111")


@pytest.mark.parametrize("text", [
    "terminal.id = 29531204    (/etc/econduit-terminal/terminal.ini:24)\n",
    "reconnect.keepalive_idle = 2s\n",
    "2026-11-23T08:40:50.606Z INFO link: next dial in 0.98 s: name dc.econduitapp.com not found\n",
    "inet 192.0.2.7/24 scope global eth0\n",
])
def test_what_support_works_with_stays(text):
    assert redact(text) == text
