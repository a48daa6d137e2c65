"""The examiner's page, as the person beside the device uses it, and the report, in a real browser."""
import asyncio
import threading

import pytest
from selenium.webdriver.common.keys import Keys

from econduit_terminal.sandbox.certify.outcome import Result
from econduit_terminal.sandbox.certify.page import Page
from econduit_terminal.sandbox.certify.person import Prompt
from econduit_terminal.sandbox.certify.report.html import html
from econduit_terminal.sandbox.certify.report.result import record
from econduit_terminal.sandbox.certify.table.model import Verdict
from econduit_terminal.sandbox.certify.table.terminal import FIN


class Served:
    """The page in a loop of its own, as a run has it."""

    def __init__(self):
        self.page = Page("127.0.0.1", 0)
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.do(self.page.open())

    def do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def ask(self, text: str, yes_no: bool = False):
        """Asks; the answer is `.result(seconds)`."""
        return asyncio.run_coroutine_threadsafe(self.page.answer(Prompt(1, text, yes_no)), self.loop)

    def tell(self, what, *words):
        self.loop.call_soon_threadsafe(what, *words)

    def close(self):
        self.do(self.page.close())
        self.loop.call_soon_threadsafe(self.loop.stop)


@pytest.fixture
def served(browser):
    made = Served()
    made.page.clock = lambda: 2.5
    browser.open(made.page.address)
    browser.shows("#title", "Waiting for the device")
    yield made
    made.close()


def test_case_log_and_stop_clock_are_live(browser, served):
    served.tell(served.page.begins, [FIN], 1.0, 2.0)
    browser.shows("#title", "2.9  The cloud closes the connection")
    served.tell(served.page.result, Result(FIN, Verdict.FAIL, "<b>never</b> came", 1.0, ()))
    browser.shows("#log", "FAIL 2.9 The cloud closes the connection (FIN): <b>never</b> came")
    browser.until(lambda: float(browser.text("#clock").split()[0]) >= 2.5)
    assert browser.run("return getComputedStyle(document.querySelector('#log b')).color") == "rgb(153, 27, 27)"
    assert browser.complaints() == []


def test_a_prompt_is_answered_by_keyboard_alone(browser, served):
    asked = served.ask("Pull the network cable out of the device now")
    browser.shows("#question", "Pull the network cable")
    assert browser.run("return document.activeElement.dataset.answer") == "done"
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert asked.result(10) == ("done", "")
    asked = served.ask("Does it show “POS Offline”?", True)
    browser.shows("#question", "POS Offline")
    browser.one("body").send_keys("n")
    assert asked.result(10) == ("no", "")
    browser.until(lambda: not browser.one("#prompt").is_displayed())


def test_cannot_wants_its_reason(browser, served):
    asked = served.ask("Take the device out of Wi-Fi range now")
    browser.shows("#question", "Wi-Fi")
    browser.one("body").send_keys("c")
    browser.until(lambda: browser.run("return document.activeElement.id") == "note")
    assert not asked.done()
    browser.one("#note").send_keys("bolted down", Keys.ENTER)
    assert asked.result(10) == ("cannot", "bolted down")


def test_a_page_that_is_opened_again_shows_the_prompt(browser, served):
    asked = served.ask("Plug the network cable in again")
    browser.shows("#question", "Plug")
    browser.open("about:blank")
    browser.open(served.page.address)
    browser.shows("#question", "Plug")
    browser.one("body").send_keys("d")
    assert asked.result(10) == ("done", "")


@pytest.mark.parametrize("width, height", [(240, 320), (480, 800), (1920, 1080)])
def test_nothing_is_cut_at_any_size(browser, served, width, height):
    browser.size(width, height)
    asked = served.ask("Take the internet away behind the router now; leave the device's cable in")
    browser.shows("#question", "router")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    browser.one("body").send_keys("d")
    asked.result(10)


def test_the_end_of_the_examiner_is_said(browser, served):
    served.do(served.page.close())
    browser.until(lambda: browser.one("#lost").is_displayed())


def test_the_report_is_one_page_that_stands_alone(browser, tmp_path):
    found = record("terminal", {"format": "json"}, [Result(FIN, Verdict.FAIL, "x" * 300, 1.0, ())], began="2026",
    seconds=1,
                   profile="quick", strict=False)
    (tmp_path / "report.html").write_text(html(found))
    browser.size(480, 800)
    browser.open((tmp_path / "report.html").as_uri())
    browser.shows("h1", "FAIL")
    assert browser.run("return document.documentElement.scrollWidth") <= 480
    assert browser.run("return document.querySelector('#case-2\\\\.9').open") and browser.complaints() == []
