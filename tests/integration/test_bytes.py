"""Byte for byte between a cloud, an agent and a payment application: pauses, halves, and what is no transaction."""
import time
from functools import reduce
from operator import xor

import pytest
from raw_peers import RawApp, RawCloud
from waiting import until

END = b"\x04\x04"
ACK = b'{"Status":"OK"}' + END
ANSWER = b'{"ResultCode":"Approved"}'


def stx(content):
    return b"\x02" + content + b"\x03" + bytes((reduce(xor, content + b"\x03"),))


JSON = b'{"Command":"Sale","RefID":"1","Amount":"2.50"}'
XML = b"<request><TransType>Sale</TransType><Amount>2.50</Amount><RefId>1</RefId></request>"
STX = stx(b"T00\x1c1.28\x1c01\x1c250")
EOT_LRC = bytes.fromhex("024f480304")
FORMATS = {"json": JSON, "xml": XML, "stx": STX}


@pytest.fixture
def raw_cloud():
    with RawCloud() as cloud:
        yield cloud


@pytest.fixture
def app():
    with RawApp() as app:
        yield app


@pytest.fixture
def start(make_terminal, raw_cloud, app):
    """A function that starts a terminal between the two; `frame_gap` is 100 ms there."""
    def start(settings=()):
        terminal = make_terminal({
            "cloud.primary": f"127.0.0.1:{raw_cloud.port}", "cloud.secondary": "",
            "transactions.application": f"tcp://127.0.0.1:{app.port}", "transactions.timeout": "2s",
            "transactions.drain": "2s", **dict(settings)})
        terminal.start()
        return terminal
    return start


def heartbeat(terminal, connection):
    terminal.client.verify()
    connection.expect(b'{"Command":"TerminalHeartbeat"}' + END)


@pytest.mark.parametrize("end", [b"", END], ids=["bare", "terminated"])
@pytest.mark.parametrize("name", FORMATS)
def test_m1_a_pause_inside_a_request(start, raw_cloud, app, name, end):
    terminal = start()
    connection = raw_cloud.register()
    heartbeat(terminal, connection)
    connection.send(ACK)                    # terminated, as the document has it; the requests may be bare all the same
    size = len(FORMATS[name])
    for number, cut in enumerate((1, size // 2, size - 1), 1):
        request = FORMATS[name].replace(b"1", b"%d" % number) if name != "stx" else stx(STX[1:-2][:-1] + b"%d" % number)
        connection.send(request[:cut], 0.4, request[cut:] + end)
        assert app.request() == request
        assert connection.expect(END) == ANSWER
    assert connection.quiet(0.3) == b"" and app.no_request()
    assert terminal.status()["transactions"]["received"] == 3


def test_m1_half_a_request_is_never_run(start, raw_cloud, app):
    terminal = start({"transactions.patience": "300ms"})
    for request in FORMATS.values():
        connection = raw_cloud.register()
        mark = terminal.mark()
        connection.send(request[:-1])
        terminal.wait_offline(f"a message broke off after {len(request) - 1} bytes", mark)
    raw_cloud.register()
    assert app.no_request()


def test_m1_a_cloud_that_terminates_its_requests_may_pause_in_any_format(start, raw_cloud, app):
    start()
    connection = raw_cloud.register()
    connection.send(b"SALE 1.00" + END)
    assert app.request() == b"SALE 1.00" and connection.expect(END) == ANSWER
    connection.send(b"SALE ", 0.4, b"2.50" + END)
    assert app.request() == b"SALE 2.50" and connection.expect(END) == ANSWER
    assert app.no_request()


def test_a_cloud_that_never_terminates_ends_a_format_of_its_own_by_a_gap(start, raw_cloud, app):
    terminal = start()
    connection = raw_cloud.register(b"OK-REGISTRATION")
    terminal.wait_online()
    time.sleep(0.5)         # what follows within `frame_gap` would make the answer another one
    connection.send(b"SALE 1.00")
    assert app.request() == b"SALE 1.00" and connection.expect(END) == ANSWER


@pytest.mark.parametrize("half, rest", [(b"<response><Message>Appro", b"ved</Message></response>"),
                                        (b'{"ResultCode":"Ap', b'proved"}'), (STX[:4], STX[4:]), (STX[:-1], STX[-1:])])
def test_m2_a_pause_inside_an_answer(start, raw_cloud, app, half, rest):
    app.answer = (half, 0.4, rest)
    start()
    connection = raw_cloud.register()
    connection.send(JSON)
    assert connection.expect(END) == half + rest
    app.answer = (half,)
    connection.send(JSON.replace(b"1", b"2"))
    assert b"not known whether" in connection.expect(END)
    assert connection.quiet(0.2) == b""


def test_m3_an_lrc_of_0x04_in_and_out(start, raw_cloud, app):
    app.answer = (EOT_LRC + END,)
    start()
    connection = raw_cloud.register()
    for end in (END, b"", END):
        connection.send(EOT_LRC + end)
        assert app.request() == EOT_LRC
        assert connection.expect(EOT_LRC[:4]) == b"" and connection.expect(b"\x04" + END) == b""
    assert connection.quiet(0.3) == b""


def test_m4_what_the_cloud_says_of_the_connection_is_no_transaction(start, raw_cloud, app):
    terminal = start()
    connection = raw_cloud.register(b"\xef\xbb\xbfOK-REGISTRATION")             # O13
    terminal.wait_online()
    connection.send(ACK + ACK + b"OK-REGISTRATION" + END)
    connection.send(b'{"Status":"ERROR","Message":"who are you?"}' + END)
    connection.expect(b'{"Command":"TerminalHeartbeat"}' + END)
    connection.send(ACK)
    terminal.wait_status(lambda status: status["last_ack"])
    connection.send(b"\xef\xbb\xbf" + JSON)
    assert app.request() == b"\xef\xbb\xbf" + JSON and connection.expect(END) == ANSWER
    assert app.no_request() and terminal.status()["connects"] == 1
    assert terminal.status()["transactions"]["received"] == 1


def test_m4_without_acks_an_ack_is_dropped_all_the_same(start, raw_cloud, app):
    terminal = start({"registration.ack_heartbeat": "no"})
    connection = raw_cloud.register()
    connection.send(ACK, 0.2, JSON)
    assert app.request() == JSON and connection.expect(END) == ANSWER
    assert terminal.status()["transactions"]["received"] == 1


@pytest.mark.parametrize("word", [b"FAILED-REGISTRATION", b"FAILED-INVALID-TERMINAL-TYPE" + END])
def test_m4_the_cloud_no_longer_has_the_terminal(start, raw_cloud, app, word):
    app.answer = (0.8, ANSWER)
    terminal = start()
    connection = raw_cloud.register()
    terminal.wait_online()
    mark = terminal.mark()
    connection.send(JSON)
    assert app.request() == JSON
    connection.send(word)
    terminal.wait_offline(word.removesuffix(END).decode(), mark)
    again = raw_cloud.register()            # the next Register decides; the transaction went on, and its answer waited
    assert again.expect(END) == ANSWER
    assert app.no_request()


@pytest.mark.parametrize("pieces, text", [
    ((b"OK-REGISTRATION-X",), "OK-REGISTRATION-X"), ((b"OK-REGISTRATION, welcome" + END,), "OK-REGISTRATION, welcome"),
    ((b"OK-REGISTRATION", 0.03, b"-X"), "OK-REGISTRATION-X")])
def test_m5_what_only_begins_like_ok_registration_is_a_failure(start, raw_cloud, app, pieces, text):
    terminal = start({"transactions.frame_gap": "1s"})      # far longer than the pause
    connection = raw_cloud.accept()
    connection.expect(END)
    connection.send(*pieces)
    terminal.wait_offline(text)
    assert connection.quiet(5) == b"" and app.no_request()


@pytest.mark.parametrize("close", [True, False])
@pytest.mark.parametrize("answer, wanted", [
    (b"APPROVED 123456\x04", b"APPROVED 123456"), (b"\x04APPROVED 123456", b"APPROVED 123456"),
    (b"\x06" + STX, STX), (b"\x04" + ANSWER + b"\x04", ANSWER)])
def test_m9_half_a_terminator_at_an_answers_edges(start, raw_cloud, app, answer, wanted, close):
    app.answer, app.close = (answer,), close
    start({"transactions.timeout": "60s"})
    connection = raw_cloud.register()
    for number in range(2):
        connection.send(JSON.replace(b"1", b"%d" % number))
        assert connection.expect(END) == wanted     # long before that time is over
    assert connection.quiet(0.2) == b""


def test_m15_a_flood_of_tiny_messages(start, raw_cloud, app):
    terminal = start()
    connection = raw_cloud.register()
    terminal.wait_online()
    mark, worst = terminal.mark(), 0.0
    connection.sock.settimeout(0.1)
    flood, pid = memoryview(b"{}" * (2 << 20)), terminal.agent_pid()
    while flood:
        try:
            flood = flood[connection.sock.send(flood[:65536]):]
        except TimeoutError:
            pass
        except OSError:
            break
        began = time.monotonic()
        terminal.client.health()
        worst = max(worst, time.monotonic() - began)
    lost = terminal.wait_offline("messages in one burst", mark)
    raw_cloud.register()
    terminal.wait_online(lost["mark"])
    assert terminal.agent_pid() == pid and worst < 4, worst     # less than the client's own patience
    print(f"health answered within {worst:.3f} s at worst; {len(terminal.log())} bytes of log")
    assert len(terminal.log()) < 200_000
    until(lambda: app.requests.qsize() <= 30, "a few of them ran at most")
