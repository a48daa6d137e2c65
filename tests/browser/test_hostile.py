"""A hostile page in the browser that has the display, or the desk, open: it learns nothing and does nothing."""
import json
import socket
from urllib.parse import urlsplit

import pytest

REBOUND = "rebound.example"
"""A name of somebody else's that leads to this machine: see the browser's options."""
SECRET = "29531204"
ATTACKS = """
<!doctype html><title>hostile</title><iframe id="frame" src="TARGET/"></iframe>
<script>
const learned = [], asked = [];
const until = (name, work) => asked.push(Promise.race([
  new Promise(work), new Promise(done => setTimeout(done, 3000, "nothing"))]).then(what => {
    if (what !== "nothing") learned.push(name + ": " + what); }));
const get = ["/", "/status", "/events", "/health", "/metrics", "/sandbox", "/sandbox/stream", "/sandbox/terminals",
             "/sandbox/events", "/services/api.asmx/runTransaction?command=Sale&key=sandbox&password=sandbox&" +
             "amount=2.50&refID=66&terminalId=29531204"];
const post = ["/network", "/verify", "/reconnect", "/reload", "/sandbox/rst", "/sandbox/drop", "/sandbox/refuse",
              "/sandbox/stop-listening"];
for (const path of get) {
  const url = "TARGET" + path;
  until("fetch " + path, done => fetch(url).then(answer => answer.text()).then(done, () => done("nothing")));
  fetch(url, {mode: "no-cors"}).catch(() => 0);
  until("EventSource " + path, done => { new EventSource(url).onmessage = event => done(event.data); });
  until("WebSocket " + path, done => { new WebSocket(url.replace("http", "ws")).onopen = () => done("open"); });
  for (const tag of ["script", "img", "link", "object", "video"])
    until(tag + " " + path, done => {
      const part = document.createElement(tag);
      part.onload = part.onloadeddata = () => done("loaded");
      part.onerror = () => done("nothing");
      part.rel = "stylesheet"; part.src = part.href = part.data = url;
      document.body.append(part);
    });
}
for (const path of post) {
  for (const mode of ["cors", "no-cors"])
    fetch("TARGET" + path, {method: "POST", mode, body: "{}", headers: {"Content-Type": "text/plain"}}).catch(() => 0);
  navigator.sendBeacon("TARGET" + path, "{}");
  const sink = document.createElement("iframe"), form = document.createElement("form");
  sink.name = "sink" + path; form.target = sink.name; form.method = "POST"; form.action = "TARGET" + path;
  document.body.append(sink, form);
  form.submit();
}
const opened = window.open("TARGET/");
until("window", done => setTimeout(() => {
  try { done(opened.document.body.innerText || "nothing"); } catch (refused) { done("nothing"); }
}, 2000));
until("frame", done => setTimeout(() => {
  try { done(document.getElementById("frame").contentDocument.body.innerText || "nothing"); }
  catch (refused) { done("nothing"); }
}, 2000));
Promise.all(asked).then(() => { document.title = "tried all of it"; });
</script>
"""


def attack(browser, page: str, target: str) -> list[str]:
    """What the hostile page learned."""
    browser.open(page)
    browser.until(lambda: browser.driver.title == "tried all of it")
    learned = browser.run("return learned")
    assert browser.run("return asked.length") > 50
    own, *opened = browser.driver.window_handles
    for window in opened:
        browser.driver.switch_to.window(window)
        browser.driver.close()
    browser.driver.switch_to.window(own)
    return learned


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", REBOUND])
def test_the_display_tells_it_nothing_and_stays_as_it_is(page, served, elsewhere, name):
    hostile = elsewhere(ATTACKS.replace("TARGET", served.url)).replace("localhost", name)
    assert attack(page, hostile, served.url) == []
    served.do("idle", True)         # no control was called meanwhile
    page.open(served.url)
    page.shows("#display", "POS Online")
    served.do("offline", "cable unplugged")
    page.shows("#reason", "Cable unplugged")


@pytest.mark.parametrize("whose", ["served", "cloud"])
def test_no_frame_holds_it(browser, elsewhere, request, whose):
    url = request.getfixturevalue(whose).url
    browser.open(url)
    assert "eConduit" in browser.driver.page_source
    browser.open(elsewhere(f"<iframe src='{url}/'></iframe>"))
    browser.driver.switch_to.frame(0)
    assert "eConduit" not in browser.driver.page_source


@pytest.fixture
def terminal(cloud):
    """A registered terminal's socket."""
    with socket.create_connection(("127.0.0.1", cloud.primary), timeout=10) as sock:
        fields = ("TerminalType", "TerminalModel", "TerminalID", "SoftwareVersion")
        register = {"Command": "Register", **dict.fromkeys(fields, SECRET), "AckHeartbeat": "true"}
        sock.sendall(json.dumps(register).encode() + b"\x04\x04")
        assert sock.recv(100) == b"OK-REGISTRATION"
        yield sock


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", REBOUND])
def test_the_desk_tells_it_nothing_and_sells_nothing(browser, cloud, terminal, elsewhere, name):
    before = cloud.mark()
    hostile = elsewhere(ATTACKS.replace("TARGET", cloud.url)).replace("localhost", name)
    assert attack(browser, hostile, cloud.url) == []
    assert cloud.events(before) == []
    terminal.setblocking(False)
    with pytest.raises(BlockingIOError):
        terminal.recv(1)


@pytest.mark.parametrize("path", ["/", "/status", "/events", "/metrics"])
def test_a_name_that_was_pointed_at_the_display_leads_nowhere(browser, served, path):
    browser.open(f"http://{REBOUND}:{served.port}{path}")
    assert "Host header" in browser.text("body") and SECRET not in browser.driver.page_source


@pytest.mark.parametrize("path", ["/", "/sandbox", "/sandbox/stream"])
def test_a_name_that_was_pointed_at_the_desk_leads_nowhere(browser, cloud, terminal, path):
    browser.open(f"http://{REBOUND}:{urlsplit(cloud.url).port}{path}")
    assert "Host header" in browser.text("body") and SECRET not in browser.driver.page_source
