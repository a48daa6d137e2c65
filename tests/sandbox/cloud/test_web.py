"""The HTTP side of the sandbox cloud: what it lists, how it waits, what it does with nonsense."""
import http.client
import socket
import threading

import pytest


@pytest.mark.parametrize("nonsense", [
    b"\x00" * 1000, b"GET", b"GET / HTTP/9.9\r\n\r\n", b"POST /sandbox/raw HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    b"POST /sandbox/raw HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"A" * 200_000,
    b"POST /sandbox/raw HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{{{{{", b"GET /%ff%00?%zz=& HTTP/1.1\r\n\r\n",
    b"POST /sandbox/raw HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
])
def test_stays_up_under_http_nonsense(cloud, nonsense):
    with socket.create_connection(("127.0.0.1", cloud.http), timeout=10) as sock:
        try:
            sock.sendall(nonsense)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
        except OSError as error:    # the sandbox may hang up at any of these steps; it must not fall silent
            assert not isinstance(error, TimeoutError)
    assert cloud.call("GET", "/sandbox")[0] == 200
    assert "a mistake in the sandbox" not in cloud.log()


def test_the_overview_lists_every_control_and_what_is_active(cloud):
    cloud.misbehave("refuse", terminal="T1", answer="NO", times=2)
    overview = cloud.call("GET", "/sandbox")[1]
    assert {"drop", "rst", "dead", "refuse", "segments", "reset"} <= set(overview["controls"])
    assert overview["faults"][0] == {"fault": "refuse", "left": 2, "terminal": "T1", "answer": "NO", "close": False}
    assert overview["ports"] == {"primary": cloud.primary, "secondary": cloud.secondary, "http": cloud.http}
    cloud.behave()
    assert cloud.call("GET", "/sandbox")[1]["faults"] == []


def test_events_are_waited_for_and_filtered(cloud, dial):
    mark, found = cloud.mark(), []
    waiting = threading.Thread(target=lambda: found.extend(cloud.events(mark, 20, "registered", "T2")))
    waiting.start()
    for name in ("T1", "T2"):
        dial(cloud.primary).online(name)
    waiting.join(20)
    assert [event["terminal"] for event in found] == ["T2"]
    assert cloud.events(cloud.mark(), wait=0.05) == []
    numbers = [event["n"] for event in cloud.events()]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("method, path, status", [
    ("PUT", "/sandbox", 405), ("GET", "/desk", 404), ("GET", "/sandbox/drop", 405),
    ("POST", "/sandbox/unheard-of", 400),
    ("POST", "/sandbox/delay", 400), ("POST", "/sandbox/delay?seconds=soon", 400),
    ("POST", "/sandbox/drop?port=9", 400),
    ("POST", "/sandbox/raw", 400), ("POST", "/sandbox/raw?data=%25%25", 400), ("POST", "/sandbox/drop?colour=red", 400),
    ("POST", "/sandbox/duplicate", 400), ("POST", "/sandbox/duplicate?terminal=T9", 400),
    ("GET", "/sandbox/events?since=x", 400), ("GET", "/sandbox/events?wait=1e9", 400),
    ("GET", "/services/api.asmx/x", 404),
])
def test_a_wrong_call_gets_a_sentence(cloud, method, path, status):
    answered, answer = cloud.call(method, path)
    assert answered == status and len(answer["Message"]) > 5


def test_a_control_takes_a_query_a_form_or_json(cloud, dial):
    for path, body in (("/sandbox/raw?text=a", None), ("/sandbox/raw", {"text": "a"})):
        terminal = dial(cloud.primary).online("T1")
        assert cloud.call("POST", path, body)[1]["connections"] == 1
        assert terminal.read(1) == b"a"
        terminal.close()
        cloud.wait_event("closed", since=cloud.wait_event("registered", since=0)["n"])


def asked(port, path, method="GET", address="127.0.0.1", **headers):
    connection = http.client.HTTPConnection(address, port, timeout=10)
    connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
    response = connection.getresponse()
    found = response.status, response.headers, response.read(1000)
    connection.close()
    return found


@pytest.mark.parametrize("path", [
    "/", "/sandbox", "/sandbox/stream", "/sandbox/drop", "/services/api.asmx/closeBatch"])
@pytest.mark.parametrize("headers", [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"}, {"Host": "evil.example"}, {"Host": "evil.example:9080"},
    {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}])
def test_what_another_page_asks_for_is_refused(cloud, path, headers):
    status, sent, body = asked(cloud.http, path, "POST" if path.endswith("drop") else "GET", **headers)
    assert status == 403 and b"Message" in body and "Access-Control-Allow-Origin" not in sent
    assert cloud.events(kind="control") == []


def test_a_link_may_lead_to_the_desk_and_no_further(cloud):
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert asked(cloud.http, "/", **link)[0] == 200
    for path in ("/sandbox", "/services/api.asmx/closeBatch?key=sandbox&password=sandbox&terminalId=T"):
        assert asked(cloud.http, path, **link)[0] == 403


def test_on_an_address_of_the_network_any_name_leads_to_it(start_cloud):
    cloud = start_cloud("--host", "0.0.0.0")
    assert asked(cloud.http, "/sandbox", Host="sandbox.lab.example:9080")[0] == 200
    assert asked(cloud.http, "/sandbox", Host="sandbox.lab.example", Origin="http://evil.example")[0] == 403


def test_every_answer_keeps_other_pages_out(cloud):
    for path in ("/", "/sandbox", "/nothing"):
        sent = asked(cloud.http, path)[1]
        assert sent["X-Frame-Options"] == "DENY" and sent["Cross-Origin-Resource-Policy"] == "same-origin"
