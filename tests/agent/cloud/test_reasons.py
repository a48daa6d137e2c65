import pytest

from econduit_terminal.agent.cloud.policy import Cause
from econduit_terminal.agent.cloud.reasons import display, something_else
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.contract.network_report import NetworkReport

HERE = Endpoint("dc.econduitapp.com", 80)


@pytest.mark.parametrize("answer, says", [
    ("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", ", HTTP 400: a proxy or login page of this network"),
    ("HTTP/1.0 302 Found\r\nLocation: http://portal/\r\n\r\n", ", HTTP 302: a proxy or login page of this network"),
    ("HTTP/2 511", ", HTTP 511: a proxy or login page of this network"),
    ("<!doctype html>\n<html>", ", a web page: a proxy or login page of this network"),
    ("\r\n<HTML><head>", ", a web page: a proxy or login page of this network"),
    ("\x15\x03\x01\x00\x02\x02\x46", ", TLS: check cloud.tls and the port"),
    ("SSH-2.0-dropbear", ", not the eConduit Cloud: SSH-2.0-dropbear"),
    ("OK-REGISTRATION-X", ", not the eConduit Cloud: OK-REGISTRATION-X"),
    ("HTTP status 400", ", not the eConduit Cloud: HTTP status 400"),
])
def test_o2_what_something_else_answers(answer, says):
    assert something_else(HERE, answer, answer) == f"dc.econduitapp.com:80 is answered by something else{says}"


def test_nothing_readable():
    assert something_else(Endpoint("::1", 80), "", "") == (
        "[::1]:80 is answered by something else, not the eConduit Cloud: nothing that can be read")


OWN = "own"


@pytest.mark.parametrize("verdict, usable, cause, newer, own_wins", [
    ("online", True, None, True, True),
    ("online", False, Cause.PATH, True, True),
    ("connecting", True, Cause.PATH, True, True),
    ("registration refused: FAILED-REGISTRATION", True, Cause.CROWDED, True, True),
    ("cable unplugged", False, Cause.REFUSED, False, False),
    ("Wi-Fi lost", False, None, True, False),
    ("cloud not answering", True, Cause.DOWN, True, True),
    ("cloud not answering", True, Cause.SILENT, True, False),
    ("blocked port", True, Cause.REFUSED, True, True),
    ("blocked port", True, Cause.PATH, False, False),
    ("no internet", True, Cause.PATH, False, False),
    ("no internet", True, Cause.REFUSED, False, True),
    ("no internet", True, Cause.REFUSED, True, False),
    ("no internet", True, Cause.NOT_THE_CLOUD, True, True),
    ("gateway silent", True, Cause.NOT_THE_CLOUD, True, False),
    ("no DNS or no internet", True, Cause.PATH, True, False),
    ("no DNS", True, Cause.CUT, True, False),
])
def test_which_reason_is_shown(verdict, usable, cause, newer, own_wins):
    shown = display(OWN, cause, NetworkReport(verdict=verdict, usable=usable), verdict_is_newer=newer)
    assert shown == (OWN if own_wins else verdict)


def test_o7_the_verdict_with_its_details():
    own = "no DNS: cloud.test is answered with 0.0.0.0 (a DNS filter)"
    assert display(own, Cause.PATH, NetworkReport(verdict="no DNS"), verdict_is_newer=True) == own


@pytest.mark.parametrize("own", ["no DNS: a.test is answered with :: (a DNS filter)", "name a.test not found (x)"])
def test_o15_a_cloud_that_was_not_asked_does_not_keep_silent(own):
    assert display(own, Cause.PATH, NetworkReport(verdict="cloud not answering"), verdict_is_newer=True) == own
    assert display(own, Cause.PATH, NetworkReport(verdict="no internet"), verdict_is_newer=True) == "no internet"
