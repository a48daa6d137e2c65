"""A headless Chromium, as Debian packages it."""
import contextlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 20.0
SERVE = Path(__file__).parent.parent / "support/status_server.py"
REBOUND = "rebound.example"
"""A name of somebody else's that leads to this machine."""
QUIET = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage")
"""Without these the browser calls home, which has no place in a test; as root it runs without its own sandbox only."""


CONTRASTS = """
const parse = colour => { const [red, green, blue, alpha = 1] = colour.match(/[\\d.]+/g).map(Number);
                          return [red, green, blue, alpha]; };
const probe = document.createElement("i");
probe.style.backgroundColor = "Canvas";
document.body.append(probe);
const canvas = parse(getComputedStyle(probe).backgroundColor);
probe.remove();
const over = (top, below) => [0, 1, 2].map(part => top[part] * top[3] + below[part] * (1 - top[3])).concat(1);
const behind = one => {
  const layers = [];
  for (; one; one = one.parentElement) layers.push(parse(getComputedStyle(one).backgroundColor));
  return layers.reduceRight((below, top) => over(top, below), canvas);
};
const luminance = colour => [0.2126, 0.7152, 0.0722].reduce((sum, weight, part) => {
  const value = colour[part] / 255;
  return sum + weight * (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4); }, 0);
return [...document.querySelectorAll(arguments[0])]
  .filter(one => one.checkVisibility() && (one.placeholder ||
                 [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim())))
  .map(one => {
    const style = getComputedStyle(one, one.placeholder ? "::placeholder" : null);
    const below = behind(one), text = over(parse(style.color), below);
    const [darker, lighter] = [luminance(text), luminance(below)].sort((a, b) => a - b);
    return [one.id || one.tagName + " " + one.textContent.slice(0, 30), (lighter + 0.05) / (darker + 0.05)]; });
"""


class Browser:
    """The driver, and waiting for what a page shows."""

    def __init__(self, driver: webdriver.Chrome):
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get(url)

    def one(self, selector: str):
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list:
        return self.driver.find_elements("css selector", selector)

    def text(self, selector: str) -> str:
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def texts(self, selector: str) -> list[str]:
        """The visible text of each such element, of one moment."""
        return self.run("return [...document.querySelectorAll(arguments[0])].map(one => one.innerText)", selector)

    def run(self, script: str, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, condition, timeout: float = PATIENCE):
        """What `condition()` gives once it is true. Raises TimeoutException."""
        return WebDriverWait(self.driver, timeout, poll_frequency=0.05).until(lambda _: condition())

    def shows(self, selector: str, part: str, timeout: float = PATIENCE) -> None:
        """Waits until that element's text has `part` in it."""
        self.until(lambda: part in self.text(selector), timeout)

    def colour(self, selector: str, of: str = "color") -> str:
        """As it is shown, in the form `rgb(0, 0, 0)`."""
        return self.run("return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]", selector, of)

    def contrasts(self, selector: str = "body *") -> dict[str, float]:
        """Of each such element with a text of its own: the contrast (WCAG 2) with what is behind it, by its id."""
        return dict(self.run(CONTRASTS, selector))

    def painted(self) -> None:
        """Waits until what was changed before is on the screen."""
        self.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")

    def size(self, width: int, height: int) -> None:
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def complaints(self) -> list[str]:
        """What the browser's console says: errors of scripts, blocked requests."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


class Served:
    """The display as the agent serves it, by a process that can be stopped."""

    def __init__(self, folder: Path):
        self.socket = folder / "agent.sock"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, SERVE, self.socket, json.dumps({"port": self.port})],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL)
        assert self.process.stdout.readline() == '["ready"]\n'
        self.wait_open()
        self.do("online", "h:80", "10.0.0.2", "eth0")

    def wait_open(self) -> None:
        deadline = time.monotonic() + 10
        while socket.socket().connect_ex(("127.0.0.1", self.port)):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def do(self, *words) -> None:
        """Calls a method of the status. Nothing else was said since the last time: no control was called."""
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == '["done"]\n'

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def served(tmp_path):
    running = Served(tmp_path)
    yield running
    running.kill()


@pytest.fixture
def page(browser, served):
    browser.open(served.url)
    browser.shows("#display", "POS Online")
    return browser


@pytest.fixture
def elsewhere():
    """elsewhere(html) → the address of a page of another origin that holds this."""
    pages = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(pages[-1].encode())

        def log_message(self, *_):
            """Nothing to say."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

        def serve(html: str) -> str:
            pages.append(html)
            return f"http://localhost:{server.server_port}/"

        yield serve
        server.shutdown()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if None in programs:
        if os.environ.get("CI"):
            pytest.fail("Debian's packages chromium and chromium-driver are missing; scripts/test installs them")
        pytest.skip("an administrator would have to install chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for argument in (*QUIET, f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
                     f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(programs[1]))
    driver.set_page_load_timeout(PATIENCE)
    driver.set_script_timeout(PATIENCE)
    yield driver
    with contextlib.suppress(Exception):
        driver.quit()


@pytest.fixture
def browser(chromium):
    """The browser with an empty page; what its console said is none of the next test's business."""
    chromium.get("about:blank")
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.get_log("browser")
    return Browser(chromium)
