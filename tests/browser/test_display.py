"""The display page while its agent hangs, ends and comes back, in a real browser."""
import signal
import time

import pytest

RED, GREEN = "rgb(176, 0, 23)", "rgb(10, 99, 42)"


@pytest.fixture(autouse=True)
def green(page):
    page.until(lambda: page.colour("h1") == GREEN)


def test_t9_the_page_of_an_agent_that_hangs_is_red_within_10_s_and_comes_back_by_itself(page, served):
    time.sleep(1)       # in the midst of nothing
    served.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    page.until(lambda: page.colour("h1") == RED)
    assert time.monotonic() - began < 10
    assert page.text("#display") == "POS Offline" and page.text("#reason") == "The eConduit agent does not answer"
    assert page.text("#remedy") == "Wait: the terminal tries again by itself"
    time.sleep(4)       # asked again meanwhile
    assert page.colour("h1") == RED
    served.process.send_signal(signal.SIGCONT)
    page.until(lambda: page.colour("h1") == GREEN)
    served.do("offline", "cable unplugged")
    page.shows("#reason", "Cable unplugged")


def test_the_page_of_an_agent_that_is_gone_is_red_at_once_and_comes_back_by_itself(page, served):
    served.kill()
    page.until(lambda: page.colour("h1") == RED, 8)
    assert page.text("#reason") == "The eConduit agent is not running" and page.text("#remedy") == "Call support"
    served.start()
    page.until(lambda: page.colour("h1") == GREEN)


def test_an_agent_that_is_restarted_is_followed(page, served):
    for number in range(3):
        served.kill()
        served.start()
        served.do("offline", f"restart {number}")
        page.shows("#reason", f"Restart {number}")


def test_the_page_of_a_port_that_is_gone_is_red_and_comes_back_with_it(page, served):
    served.do("reconfigure", str(served.socket), None)
    page.until(lambda: page.colour("h1") == RED)
    served.do("reconfigure", str(served.socket), served.port)
    page.until(lambda: page.colour("h1") == GREEN)


def test_a_page_on_which_nothing_changes_stays_green(page):
    deadline = time.monotonic() + 12
    while time.monotonic() < deadline:
        assert page.colour("h1") == GREEN
        time.sleep(0.2)


def test_t5_what_is_older_than_it_may_be_believed_is_red_though_no_question_fails(page, served):
    page.run("XMLHttpRequest.prototype.send = function () {}")      # a browser that never tells of a timeout
    served.process.send_signal(signal.SIGSTOP)
    page.until(lambda: page.colour("h1") == RED)
    served.process.send_signal(signal.SIGCONT)


def test_without_scripts_the_page_refreshes_by_itself(page, served):
    page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.open(served.url)
        served.do("offline", "cable unplugged")
        # The driver's own scripts run all the same.
        page.until(lambda: page.text("#reason") == "Cable unplugged" and page.colour("h1") == RED)
        assert page.text("#remedy") == "Plug the network cable in at both ends"
        served.do("online", "h:80", "10.0.0.2", "eth0")
        page.until(lambda: page.colour("h1") == GREEN)
    finally:
        page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
