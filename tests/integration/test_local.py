"""What the terminal shows and takes on itself: commands, status file, display page, the watchdog's reports."""
import http.client
import json
import socket
import subprocess

import pytest
from sandbox_client import reserve
from supervisord import BIN
from waiting import PATIENCE, until

from econduit_terminal.contract.network_report import NetworkReport


def report(terminal, verdict="online", **fields):
    terminal.client.report(NetworkReport.from_json({"verdict": verdict, "usable": True, "path": "works", **fields}))


# -- the watchdog's reports ------------------------------------------------------------------------------------------

def test_a_lost_address_turns_red_at_once(online, cloud):
    terminal = online({"watchdog.report_interval": "200ms"})
    mark = terminal.mark()
    report(terminal, "cable unplugged", usable=False, path="dead", lost={"127.0.0.1": "cable unplugged"},
           detail="lo has no carrier")
    lost = terminal.wait_offline("cable unplugged", mark)
    assert lost["network"]["detail"] == "lo has no carrier" and lost["disconnects"] == {"cable unplugged": 1}
    terminal.wait_online(lost["mark"])      # a watchdog that is silent after such a word is not believed for ever
    assert not cloud.registered_twice(terminal.id)


def test_another_lost_address_leaves_the_connection_alone(online, cloud):
    terminal = online()
    report(terminal, lost={"192.0.2.7": "cable unplugged"}, verify=True)
    cloud.wait_event("heartbeat", terminal=terminal.id)
    assert terminal.status()["connects"] == 1


def test_a_dial_is_bound_to_the_interface_that_is_asked_for(online):
    terminal = online()
    mark = terminal.mark()
    report(terminal, bind="no-such0")
    terminal.client.reconnect("over the other interface")
    terminal.wait_offline("over no-such0 (No such device)", mark)
    mark = terminal.mark()
    report(terminal, bind="lo", dial=True)
    terminal.wait_online(mark)
    terminal.wait_log("over lo")


def test_a_silent_watchdog_is_said_and_worked_without(make_terminal):
    terminal = make_terminal({"watchdog.report_interval": "100ms"})
    terminal.start()
    terminal.wait_status(lambda status: status["problems"].get("watchdog") == "watchdog silent" and status["online"])
    mark = terminal.mark()
    report(terminal)
    terminal.wait_status(lambda status: "watchdog" not in status["problems"], since=mark)


@pytest.mark.parametrize("body, says", [
    (b"not JSON", "not JSON"), (b"[]", "list"), (b'{"verdict": 5}', "verdict"), (b"{}", "verdict"),
    (b'{"verdict": "online", "lost": {"127.0.0.1": 1}}', "lost"), (b"{" * 100_000, "65536")])
def test_a_bad_report_is_refused_with_what_is_wrong_and_changes_nothing(online, body, says):
    terminal = online()
    with socket.socket(socket.AF_UNIX) as caller, caller.makefile("rb") as answer:
        caller.settimeout(PATIENCE)
        caller.connect(str(terminal.socket))
        caller.sendall(b"POST /network HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        head, _, error = answer.read().partition(b"\r\n\r\n")
    assert head.split()[1].startswith(b"4") and says in json.loads(error)["error"]
    assert terminal.status()["connects"] == 1 and terminal.status()["network"] == {}


# -- commands --------------------------------------------------------------------------------------------------------

def test_the_commands_and_their_exit_codes(make_terminal, cloud):
    terminal = make_terminal()
    assert terminal.command("status").returncode == 4
    assert "supervisorctl start" in terminal.command("reconnect").stderr
    terminal.start()
    terminal.wait_online()
    online = terminal.command("status")
    assert online.returncode == 0 and online.stdout.startswith("POS Online\n") and terminal.id in online.stdout
    as_json = json.loads(terminal.command("status", "--json").stdout)
    assert as_json["online"] and as_json["terminal_id"] == terminal.id

    cloud.misbehave("refuse")
    mark = terminal.mark()
    asked = terminal.command("reconnect", "--reason", "for a test")
    assert asked.returncode == 0 and f"leaves 127.0.0.1:{cloud.primary} as soon" in asked.stdout
    terminal.wait_offline("for a test", mark)
    terminal.wait_offline("registration refused", mark)
    offline = terminal.command("status")
    assert offline.returncode == 1
    assert offline.stdout.startswith("POS Offline: registration refused: FAILED-REGISTRATION\n")
    assert "next dial" in offline.stdout

    checked = terminal.command("check-config")
    assert checked.returncode == 0 and checked.stdout.startswith("OK\n") and terminal.id in checked.stdout
    terminal.override("[terminal]\nserial = 5\n")
    assert terminal.command("check-config").returncode == 2


def test_watch_shows_every_turn_and_survives_the_agent(online, cloud):
    terminal = online()
    watching = subprocess.Popen([BIN / "econduit-agent", "watch"], env=terminal.supervisor.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        def line(part):
            return next(line for line in watching.stdout if part in line)
        line("POS Online")
        cloud.misbehave("rst", terminal=terminal.id)
        line("POS Offline: reset by the cloud")
        line("POS Online")
        terminal.supervisor.stop()
        line("waiting for it")
        terminal.start()
        line("POS Online")
    finally:
        watching.terminate()
        watching.communicate(timeout=PATIENCE)


# -- status file and display -----------------------------------------------------------------------------------------

def test_the_status_file_says_the_same(online, cloud):
    terminal = online()

    def in_file():
        return json.loads(terminal.status_file.read_text())

    moving = {"retry_in": None, "written_uptime": None}
    until(lambda: in_file()["online"] and {**in_file(), **moving} == {**terminal.status(), **moving},
          lambda: f"{in_file()} in the status file, {terminal.status()} by the API")
    cloud.misbehave("refuse", answer="FAILED-INVALID-TERMINAL-TYPE")
    terminal.client.reconnect("for a test")
    until(lambda: "INVALID" in (in_file()["reason"] or ""), "the reason in the status file")


def test_the_display_page(make_terminal, cloud):
    with reserve() as kept:
        port = kept.getsockname()[1]
        terminal = make_terminal({"local.display": f"127.0.0.1:{port}"})
        terminal.start()
        terminal.wait_online()
        terminal.wait_log("display: ")

        def get(path="/", method="GET", host=f"127.0.0.1:{port}"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            connection.request(method, path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

        status, page = get()
        assert status == 200 and "POS Online" in page and terminal.id in page
        assert get("/reconnect", "POST")[0] == 405 and get(host="attacker.example")[0] == 403
        cloud.misbehave("refuse", answer="<b>closed</b>")
        terminal.client.reconnect("for a test")
        terminal.wait_status(lambda status: "answered by something else" in (status["reason"] or ""))
        page = get()[1]
        assert "POS Offline" in page and "&lt;b&gt;closed" in page and "<b>closed" not in page


def test_metrics_count_what_happened(online, cloud):
    terminal = online()
    mark = terminal.mark()
    cloud.misbehave("drop", terminal=terminal.id)
    terminal.wait_online(mark, connects=2)
    metrics = terminal.client.metrics()
    assert 'econduit_disconnects_total{reason="closed by the cloud"} 1' in metrics
    assert "econduit_online 1" in metrics


def test_with_the_watchdog_beside_it(make_terminal, cloud):
    """Both programs as shipped: the watchdog finds the agent, reports, and both end in order."""
    terminal = make_terminal({"watchdog.report_interval": "200ms"})
    terminal.start()
    terminal.supervisor.rpc.startProcess("econduit:watchdog", False)
    try:
        shown = terminal.wait_status(lambda status: status["online"] and status["network"].get("verdict"))
        assert "watchdog" not in shown["problems"] and shown["connects"] == 1
    finally:
        terminal.supervisor.stop("econduit:watchdog")
    assert terminal.supervisor.info("econduit:watchdog")["exitstatus"] == 0
    terminal.wait_status(lambda status: status["problems"].get("watchdog") == "watchdog silent")
    assert cloud.registered(terminal.id)
