import pytest

from econduit_terminal.agent.api import page
from econduit_terminal.agent.status.store import StatusStore
from econduit_terminal.contract.network_report import NetworkReport


@pytest.fixture
def store():
    return StatusStore("29531204")


def test_online(store):
    store.online("dc.econduitapp.com:80", "10.0.0.2", "eth0")
    words = page.view(store.snapshot())
    assert (words["state"], words["display"]) == ("online", "POS Online")
    assert words["terminal"] == "Terminal ID 29531204"
    assert words["place"] == "dc.econduitapp.com:80 · eth0"


def test_offline_says_why(store):
    store.network(NetworkReport.from_json({"verdict": "cable unplugged", "detail": "eth0 has no carrier"}))
    store.offline("cable unplugged")
    store.idle(False)
    store.problem("watchdog", "silent")
    words = page.view(store.snapshot())
    assert (words["state"], words["display"]) == ("offline", "POS Offline")
    assert (words["reason"], words["place"]) == ("Cable unplugged", "eth0 has no carrier")
    assert (words["activity"], words["notice"]) == ("Transaction in progress", "watchdog: silent")


def test_a_page_stands_by_itself_and_takes_no_markup(store):
    store.identity("<b>$x</b>")
    store.offline("<script>alert(1)</script>")
    text = page.render(store.snapshot()).decode()
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text and "&lt;b&gt;$x" in text
    assert "POS Offline" in text and 'class="offline"' in text
    assert "http:" not in text and "https:" not in text and "src=" not in text and "innerHTML" not in text


def test_only_the_pages_own_script_and_style_run():
    policy = dict(page.HEADERS)["Content-Security-Policy"]
    assert policy.count("'sha256-") == 2 and "unsafe" not in policy
