"""The command line (test_main: mistakes exit with 4)."""
import pytest

from econduit_terminal.sandbox.certify.options import PROGRAM

PARSE = PROGRAM.parse


def test_what_is_fixed():
    options = PARSE(["terminal"])
    assert (options.ports, options.device, options.profile, options.no_person) == ((9000, 9001), "device.toml",
    "full", False)
    options = PARSE(["cloud", "a:1,[::1]:2", "--url", "http://h"])
    assert options.endpoint == [("a", 1), ("::1", 2)]


@pytest.mark.parametrize("words", [
    [], ["nope"], ["terminal", "--ports", "x"], ["terminal", "--ports", "1,1"], ["terminal", "--ports", "1,2,3"],
    ["terminal", "--ports", "70000"], ["cloud", "host"], ["cloud", "h:1,h:2,h:3"], ["terminal",
        "--profile", "x"],
    ["terminal", "--repeat", "0"], ["terminal", "--wait", "-1"], ["terminal", "--page", "9010"], ["verify"],
    ["compare", "a"],
    ["terminal", "--hours", "nan"], ["terminal", "--repeat", "١"]])
def test_mistakes(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        PARSE(words)
    assert stopped.value.code == 2 and "econduit-certify" in capsys.readouterr().err


@pytest.mark.parametrize("text, ports", [("1,2", (1, 2)), ("0,0", (0, 0)), ("5", (5, None)), (" 7 , 8 ", (7, 8))])
def test_ports(text, ports):
    assert PARSE(["terminal", "--ports", text]).ports == ports
