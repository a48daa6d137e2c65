"""The desk: the sandbox cloud's page, used as a person uses it."""
import json
import socket

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from econduit_terminal.sandbox.cloud.calls import CALLS
from econduit_terminal.sandbox.cloud.faults import CONTROLS, parameters_of

END = b"\x04\x04"


@pytest.fixture
def terminals(cloud):
    """terminals(name, …) → their registered sockets."""
    opened = []

    def online(*names: str) -> list[socket.socket]:
        for name in names:
            sock = socket.create_connection(("127.0.0.1", cloud.primary), timeout=10)
            opened.append(sock)
            register = {"Command": "Register", "TerminalType": "T", "TerminalModel": "M", "TerminalID": name,
                        "SoftwareVersion": "1", "AckHeartbeat": "true"}
            sock.sendall(json.dumps(register).encode() + END)
            assert sock.recv(100) == b"OK-REGISTRATION"
        return opened[-len(names):]

    yield online
    for sock in opened:
        sock.close()


@pytest.fixture
def desk(browser, cloud):
    browser.open(cloud.url)
    browser.shows("#count", "terminals registered")
    return browser


def choose(desk, select: str, value: str) -> None:
    Select(desk.one(f"#{select}")).select_by_value(value)


def put(desk, selector: str, text: str) -> None:
    field = desk.one(selector)
    field.clear()
    field.send_keys(text)


def test_terminals_come_and_go_live(desk, terminals):
    first, _ = terminals("29531204", "PP35")
    desk.shows("#count", "2 of 2 terminals registered")
    desk.shows("#terminals", "29531204")
    first.close()
    desk.shows("#count", "1 of 2 terminals registered")
    assert dict(row.split()[:2] for row in desk.texts("#terminals tr")) == {
        "PP35": "online", "29531204": "offline"}


def test_a_sale_by_the_form_with_request_answer_and_time(desk, terminals):
    sock, = terminals("29531204")
    desk.shows("#terminals", "29531204")
    desk.one("#terminals button").click()
    put(desk, "#call-refID", "1234")
    desk.one("#call-form button[type=submit]").click()
    assert json.loads(sock.recv(1000)) == {"Command": "Sale", "Amount": "2.50", "RefID": "1234",
                                           "TerminalID": "29531204"}
    sock.sendall(b'{"ResultCode":"Approved","RefID":"1234","AuthCode":"A1"}' + END)
    desk.shows("#answer", '"AuthCode": "A1"')
    said = desk.text("#answer")
    assert "/services/api.asmx/runTransaction?command=Sale" in said and "HTTP 200 after" in said and " ms" in said


def test_a_first_day_a_terminal_a_sale_a_cut_and_back(desk, cloud, terminals):
    assert f"port {cloud.primary} (primary) or {cloud.secondary} (secondary)" in desk.text("#more")
    sock, = terminals("29531204")
    desk.until(lambda: desk.one("#call-terminalId").get_attribute("value") == "29531204")
    desk.one("#call-form button[type=submit]").click()      # nothing had to be typed
    assert json.loads(sock.recv(1000))["Command"] == "Sale"
    sock.sendall(b'{"ResultCode":"Approved"}' + END)
    desk.shows("#answer", "Approved")
    desk.one("#control-form button[type=submit]").click()   # the first control cuts the connections
    assert sock.recv(10) == b""
    desk.shows("#terminals", "offline")
    terminals("29531204")
    desk.shows("#terminals", "2×")


def test_a_fault_is_ended_where_it_is_listed(desk, cloud):
    cloud.misbehave("dead", terminal="T1")
    cloud.misbehave("dead", terminal="T2")
    desk.until(lambda: len(desk.all("#faults li")) == 2)
    assert not desk.one("#no-faults").is_displayed()
    desk.one("#faults button[aria-label*='terminal=T1']").click()
    desk.until(lambda: [line.split()[:2] for line in desk.texts("#faults li")] == [["dead", "terminal=T2"]])
    desk.one("#faults button").click()
    desk.until(lambda: desk.one("#no-faults").is_displayed())


def test_a_bad_call_says_what_is_missing(desk):
    choose(desk, "call", "checkStatus")
    desk.run("document.getElementById('call-form').noValidate = true")
    desk.one("#call-form button[type=submit]").click()
    desk.shows("#answer", "checkStatus needs refID")
    assert "HTTP 400" in desk.text("#answer")


@pytest.mark.parametrize("table, known", [
    ("call", {name: list(call.fields) for name, call in CALLS.items()}),
    ("control", {name: list(parameters_of(control)) for name, control in CONTROLS.items()})])
def test_every_call_and_control_has_its_form(desk, table, known):
    for name, fields in known.items():
        choose(desk, table, name)
        shown = desk.all(f"#{table}-form input, #{table}-form select")
        assert sorted(field.get_attribute("name") for field in shown) == sorted(fields)
        unlabelled = desk.run("return [...document.querySelectorAll('input, select')]"
                              ".filter(field => !field.labels.length).length")
        assert unlabelled == 0


def test_a_control_at_a_click(desk, cloud, terminals):
    sock, = terminals("T1")
    choose(desk, "control", "refuse")
    put(desk, "#control-answer", "FAILED-REGISTRATION")
    desk.one("#control-form button[type=submit]").click()
    desk.shows("#faults", "refuse")
    choose(desk, "control", "drop")
    desk.one("#control-form button[type=submit]").click()
    desk.shows("#done", '"connections": 1')
    assert sock.recv(10) == b""
    choose(desk, "control", "reset")
    desk.one("#control-form button[type=submit]").click()
    desk.until(lambda: not desk.all("#faults li"))


def test_the_wire_is_masked_searched_and_paused(desk, terminals):
    sock, = terminals("T1")
    sock.sendall(b'{"ResultCode":"Approved","CardNumber":"4111111111111111"}' + END)
    desk.shows("#wire", "************1111")
    assert "4111111111111111" not in desk.driver.page_source
    put(desk, "#search", "unsolicited")
    desk.until(lambda: ["unsolicited" in line for line in desk.texts("#wire li")] == [True])
    put(desk, "#search", "x")
    desk.one("#search").send_keys(Keys.BACKSPACE)
    desk.one("#pause").click()
    before = len(desk.all("#wire li"))
    sock.sendall(b'{"Command":"TerminalHeartbeat"}' + END)
    terminals("T2")
    desk.shows("#terminals", "T2")      # the page goes on while the wire stands still
    assert len(desk.all("#wire li")) == before
    desk.one("#pause").click()
    desk.shows("#wire", "heartbeat")


def test_markup_from_a_terminal_is_only_text(desk, terminals):
    nasty = "<img src=x onerror=document.title='hit'>"
    sock, = terminals(nasty)
    sock.sendall(b"</script><script>document.title='hit'</script>" + END)
    desk.shows("#terminals", nasty)
    desk.shows("#wire", "</script>")
    assert desk.driver.title == "eConduit sandbox: the desk" and not desk.all("#terminals img, #wire script")


def test_it_works_by_keyboard_alone(desk, terminals):
    sock, = terminals("T1")
    desk.shows("#terminals", "T1")
    reached = set()
    for _ in range(200):
        focused = desk.driver.switch_to.active_element
        if focused.text == "T1":
            focused.send_keys(Keys.ENTER)
        if focused.get_attribute("type") == "submit" and "call" in reached:
            focused.send_keys(Keys.ENTER)
            break
        reached.add(focused.get_attribute("id"))
        focused.send_keys(Keys.TAB)
    assert json.loads(sock.recv(1000))["Command"] == "Sale"


def test_two_thousand_terminals_stay_usable(desk, terminals):
    opened = terminals(*(f"T{number:04}" for number in range(2000)))
    desk.shows("#count", "2000 of 2000")
    assert len(desk.all("#terminals tr")) == 200 and "and 1800 more" in desk.text("#more")
    put(desk, "#wanted", "T1999")
    desk.until(lambda: [row.split()[0] for row in desk.texts("#terminals tr")] == ["T1999"])
    assert len(desk.all("#wire li")) <= 1000
    desk.one("#terminals button").click()
    desk.one("#call-form button[type=submit]").click()
    assert json.loads(opened[-1].recv(1000))["TerminalID"] == "T1999"
    opened[-1].sendall(b'{"ResultCode":"Approved"}' + END)
    desk.shows("#answer", "Approved")


def test_a_cloud_that_is_gone_is_said_and_the_next_one_is_followed(desk, cloud, terminals):
    terminals(*(f"T{number}" for number in range(20)))
    desk.shows("#wire", "T19")
    cloud.stop()
    desk.shows("#link", "does not answer")
    cloud.start()
    desk.until(lambda: desk.text("#link") == "")
    terminals("AFTERWARDS")     # its events have lower numbers than those before
    desk.shows("#wire", "AFTERWARDS")
    desk.shows("#count", "1 of 1 terminals")


def test_what_was_cleared_or_seen_does_not_come_again(desk, terminals):
    terminals("T1")
    desk.shows("#wire", "T1")
    desk.one("#clear").click()
    put(desk, "#wanted", "T")       # another stream, which begins with what was there
    terminals("T2")
    desk.shows("#wire", "terminal=T2")
    assert "terminal=T1" not in desk.text("#wire")


def test_nothing_is_asked_of_another_host(desk, cloud):
    asked = desk.run("return performance.getEntriesByType('resource').map(entry => new URL(entry.name).host)")
    assert set(asked) <= {f"127.0.0.1:{cloud.http}"} and desk.complaints() == []


@pytest.mark.parametrize("width, height", [(360, 640), (1024, 768), (1920, 1080)])
def test_nothing_is_cut_at_the_side(desk, terminals, width, height):
    terminals("PP35271812000123" * 4)
    desk.size(width, height)
    desk.shows("#terminals", "PP35")
    assert desk.run("return document.documentElement.scrollWidth <= innerWidth")
