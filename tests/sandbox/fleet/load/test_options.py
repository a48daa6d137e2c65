"""The command line of econduit-fleet load."""
import argparse

import pytest

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.sandbox.fleet.load.options import endpoints, locust_words, prefix, sources
from econduit_terminal.sandbox.fleet.options import PROGRAM


def test_endpoints():
    assert endpoints("cloud:9000, [::1]:9001") == (Endpoint("cloud", 9000), Endpoint("::1", 9001))


def test_sources():
    assert sources("10.0.0.5,127.0.1.0/30") == ("10.0.0.5", "127.0.1.1", "127.0.1.2")


@pytest.mark.parametrize("parse, text, said", [
    (endpoints, "cloud", "cloud"), (endpoints, "a:1,a:1", "different"), (endpoints, "a:1,b:2,c:3", "one or two"),
    (sources, "x", "such as"), (sources, "10.0.0.0/8", "at most"), (prefix, "a b", "letters"),
])
def test_mistakes_say_what_is_accepted(parse, text, said):
    with pytest.raises(argparse.ArgumentTypeError, match=said):
        parse(text)


def test_locusts_own_options_pass_through():
    options = PROGRAM.parse(["load", "--processes", "2", "--headless", "--csv", "out", "--", "--loglevel", "DEBUG"])
    assert locust_words(options) == ["--headless", "--csv", "out", "--processes", "2", "--loglevel", "DEBUG"]
    assert locust_words(PROGRAM.parse(["load", "--worker", "--master-host", "lead"])) == [
        "--worker", "--master-host", "lead"]
