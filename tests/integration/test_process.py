"""The agent as a process: under supervisor, with signals, settings and a second one of its kind."""
import os
import signal
import subprocess

import pytest
from supervisord import AGENT, BIN, Supervisor
from waiting import PATIENCE, until, wait_end


@pytest.fixture
def own_supervisor():
    """A supervisord for one test alone."""
    with Supervisor() as running:
        yield running


def hold(terminal, cloud, payment_app, ref):
    """A sale that the payment application holds back; returns the function that waits for its answer."""
    answer = cloud.start_transaction(terminal.id, "8.88", ref=ref)
    payment_app.wait_run(ref)
    terminal.wait_status(lambda status: not status["idle"])
    return answer


def test_supervisor_shows_it_running(online):
    terminal = online()
    until(lambda: terminal.supervisor.info()["statename"] == "RUNNING", "RUNNING after startsecs")
    shown = terminal.supervisor.supervisorctl("status")
    agent, watchdog = shown.stdout.splitlines()
    assert agent.split()[:2] == ["econduit:agent", "RUNNING"] and f"pid {terminal.agent_pid()}," in agent
    assert watchdog.split()[:2] == ["econduit:watchdog", "STOPPED"] and shown.returncode == 3


def test_killed_it_is_started_again_and_registers_again(online, cloud):
    terminal = online()
    until(lambda: terminal.supervisor.info()["statename"] == "RUNNING", "RUNNING after startsecs")
    pid, mark = terminal.agent_pid(), terminal.mark()
    os.kill(pid, signal.SIGKILL)
    status = terminal.wait_online(mark)
    assert status["pid"] != pid and status["connects"] == 1
    assert cloud.terminals()[terminal.id] | {"connection": 0} == {
        "registered": True, "port": "primary", "connection": 0, "registrations": 2, "max_at_once": 1, "open": 1}


def test_sigterm_ends_it_in_order(online, cloud):
    terminal = online()
    terminal.supervisor.rpc.stopProcess(AGENT)
    assert terminal.supervisor.info()["exitstatus"] == 0
    cloud.wait_event("closed", terminal=terminal.id, detail="closed by the terminal")
    terminal.wait_log("INFO agent: stopped")
    assert not terminal.socket.exists()


def test_sigterm_waits_for_the_transaction_in_progress_and_delivers(online, cloud, payment_app):
    terminal = online()
    pid = terminal.agent_pid()
    with payment_app.held():
        answer = hold(terminal, cloud, payment_app, terminal.id)
        terminal.supervisor.rpc.stopProcess(AGENT, False)
        terminal.wait_status(lambda status: status["phase"] == "stopping")
        refused = cloud.run_transaction(terminal.id, "1.00", ref=f"{terminal.id}-late")
        assert refused["ResultCode"] == "Failed" and payment_app.runs(f"{terminal.id}-late") == []
    assert answer()["ResultCode"] == "Approved"
    wait_end(pid)
    until(lambda: terminal.supervisor.info()["statename"] == "STOPPED", "STOPPED")
    assert terminal.supervisor.info()["exitstatus"] == 0


def test_a_second_signal_ends_the_wait(online, cloud, payment_app):
    terminal = online()
    pid = terminal.agent_pid()
    with payment_app.held():
        hold(terminal, cloud, payment_app, terminal.id)
        terminal.supervisor.rpc.stopProcess(AGENT, False)
        terminal.wait_status(lambda status: status["phase"] == "stopping")
        os.kill(pid, signal.SIGTERM)
        wait_end(pid)
    assert "its outcome unknown" in terminal.wait_log("still in progress")


# -- settings ------------------------------------------------------------------------------------------------------

def test_sighup_takes_good_settings_without_touching_the_connection(online, cloud):
    terminal = online()
    terminal.reload({"heartbeat.interval": "100ms", "local.log_level": "debug"})
    terminal.wait_log("settings read again: heartbeat.interval, local.log_level")
    cloud.wait_event("heartbeat", terminal=terminal.id)
    assert terminal.status()["connects"] == 1


def test_sighup_with_another_cloud_moves_there(online, cloud):
    terminal = online()
    mark = terminal.mark()
    terminal.reload({"cloud.primary": f"127.0.0.1:{cloud.secondary}", "cloud.secondary": ""})
    terminal.wait_offline("settings changed", mark)
    terminal.wait_status(lambda status: status["online"] and status["endpoint"] == f"127.0.0.1:{cloud.secondary}")
    assert not cloud.registered_twice(terminal.id)


def test_sighup_with_bad_settings_keeps_the_good_ones_and_says_so(online, cloud):
    terminal = online()
    file = terminal.override("[heartbeat]\nintervall = 5s\n\n[cloud]\nprimary = nowhere\n")
    terminal.reload({})
    problem = terminal.wait_status(lambda status: "settings" in status["problems"])["problems"]["settings"]
    assert problem.startswith("those from before are kept: ") and problem.endswith("(and 1 more)")
    for mistake in (f"{file}:2: heartbeat.intervall: ", f"{file}:5: cloud.primary: "):
        terminal.wait_log(mistake)
    assert terminal.status()["online"] and cloud.run_transaction(terminal.id)["ResultCode"] == "Approved"
    checked = terminal.command("check-config")
    assert checked.returncode == 2 and f"{file}:2: heartbeat.intervall" in checked.stderr
    file.unlink()
    terminal.reload({})
    terminal.wait_status(lambda status: "settings" not in status["problems"])
    assert terminal.status()["connects"] == 1


def test_bad_settings_at_start_are_shown_and_mended(make_terminal, cloud):
    terminal = make_terminal()
    file = terminal.override("[reconnect]\nmax_delay = soon\n")
    terminal.start()
    shown = terminal.wait_offline("settings wrong: ")
    assert f"{file}:2: reconnect.max_delay: " in shown["reason"]
    assert shown["problems"]["settings"].startswith("the agent waits for a reload: ")
    terminal.wait_log(f"ERROR agent: settings: {file}:2: reconnect.max_delay")
    until(lambda: terminal.supervisor.info()["statename"] == "RUNNING", "RUNNING: bad settings do not end it")
    pid = terminal.agent_pid()
    file.unlink()
    terminal.reload({})
    online = terminal.wait_online()
    assert online["pid"] == pid and online["problems"] == {} and online["terminal_id"] == terminal.id


def test_the_local_api_may_be_told_to_reload(online):
    terminal = online()
    terminal.set({"heartbeat.interval": "100ms"})
    assert terminal.client.reload()["changed"] == ["heartbeat.interval"]


# -- one of its kind -----------------------------------------------------------------------------------------------

def test_a_second_one_started_by_hand_waits_for_its_turn(online, cloud):
    terminal = online()
    first = terminal.agent_pid()
    second = subprocess.Popen([BIN / "econduit-agent", "run"], env=terminal.supervisor.environment,
                              stderr=subprocess.PIPE, text=True)
    try:
        waits = next(line for line in second.stderr if "another one" in line)
        assert f"another one runs as pid {first}: waiting until it ends" in waits
        assert terminal.status()["pid"] == first and terminal.status()["connects"] == 1
        mark = terminal.mark()
        terminal.supervisor.stop()
        assert terminal.wait_online(mark, pid=second.pid)
        assert not cloud.registered_twice(terminal.id)
    finally:
        second.terminate()
        second.communicate(timeout=PATIENCE)
    assert second.returncode == 0


def test_one_that_waits_can_be_stopped(online):
    terminal = online()
    second = subprocess.Popen([BIN / "econduit-agent", "run"], env=terminal.supervisor.environment,
                              stderr=subprocess.PIPE, text=True)
    next(line for line in second.stderr if "another one" in line)
    second.terminate()
    second.communicate(timeout=PATIENCE)
    assert second.returncode == 0 and terminal.status()["online"]


def test_supervisord_is_killed_and_the_next_one_takes_over(own_supervisor, make_terminal, cloud, payment_app):
    terminal = make_terminal(supervisor=own_supervisor)
    terminal.start()
    orphan = terminal.wait_online()["pid"]
    with payment_app.held():
        answer = hold(terminal, cloud, payment_app, terminal.id)
        own_supervisor.kill()
        own_supervisor.start()
        terminal.start()
        terminal.wait_log(f"another one runs as pid {orphan}: its supervisor is gone, it is asked to end")
        terminal.wait_status(lambda status: status["phase"] == "stopping")
        assert terminal.status()["pid"] == orphan       # it drains, and serves meanwhile
        mark = terminal.mark()
    assert answer()["ResultCode"] == "Approved"
    wait_end(orphan)
    assert terminal.agent_pid() != orphan
    terminal.wait_online(mark, pid=terminal.agent_pid())
    assert len(payment_app.runs(terminal.id)) == 1
    assert cloud.terminals()[terminal.id]["registrations"] == 2 and not cloud.registered_twice(terminal.id)


def test_nothing_stays_behind():
    with Supervisor() as running:
        running.rpc.startProcess(AGENT, False)
        until(lambda: len(running.leftovers()) == 2, "supervisord and the agent are there")
    assert running.leftovers() == [] and not running.folder.exists()
