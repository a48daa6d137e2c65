"""The display page while its agent hangs, ends and comes back, in a real browser."""
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

SERVE = Path(__file__).parent.parent / "support/status_server.py"
RED, GREEN = "rgb(208, 2, 27)", "rgb(10, 122, 51)"


class Served:
    """The page as the agent serves it, by a process that can be stopped."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._command = [sys.executable, SERVE, folder / "agent.sock", json.dumps({"port": self.port})]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL)
        assert self.process.stdout.readline() == '["ready"]\n'
        deadline = time.monotonic() + 10
        while socket.socket().connect_ex(("127.0.0.1", self.port)):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self.do("online", "h:80", "10.0.0.2", "eth0")

    def do(self, *words):
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == '["done"]\n'

    def kill(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def served(tmp_path):
    running = Served(tmp_path)
    yield running
    running.kill()


@pytest.fixture
def page(browser, served):
    browser.open(f"http://127.0.0.1:{served.port}/")
    browser.shows("#display", "POS Online")
    browser.until(lambda: colour(browser) == GREEN)
    return browser


def colour(page):
    return page.run("return getComputedStyle(document.querySelector('h1')).color")


def test_t9_the_page_of_an_agent_that_hangs_is_red_within_10_s_and_comes_back_by_itself(page, served):
    time.sleep(1)       # in the midst of nothing
    served.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    page.until(lambda: colour(page) == RED)
    assert time.monotonic() - began < 10
    assert page.text("#display") == "POS Offline" and page.text("#reason") == "The eConduit agent does not answer"
    time.sleep(4)       # asked again meanwhile
    assert colour(page) == RED
    served.process.send_signal(signal.SIGCONT)
    page.until(lambda: colour(page) == GREEN, 10)
    served.do("offline", "cable unplugged")
    page.shows("#reason", "Cable unplugged", 2)


def test_the_page_of_an_agent_that_is_gone_is_red_at_once_and_comes_back_by_itself(page, served):
    served.kill()
    page.until(lambda: colour(page) == RED, 3)
    assert page.text("#reason") == "The eConduit agent is not running"
    served.start()
    page.until(lambda: colour(page) == GREEN, 10)


def test_a_page_on_which_nothing_changes_stays_green(page, served):
    deadline = time.monotonic() + 12
    while time.monotonic() < deadline:
        assert colour(page) == GREEN
        time.sleep(0.2)


def test_t5_what_is_older_than_it_may_be_believed_is_red_though_no_question_fails(page, served):
    page.run("XMLHttpRequest.prototype.send = function () {}")      # a browser that never tells of a timeout
    served.process.send_signal(signal.SIGSTOP)
    page.until(lambda: colour(page) == RED, 12)
    served.process.send_signal(signal.SIGCONT)
