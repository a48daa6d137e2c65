"""The installed terminal at work: a sale, other settings, killed processes, and what it may do and others may not."""
import re
import signal
import tarfile

import debian_root
import pytest

from econduit_terminal.conf.version import VERSION

SHIPPED = {"bookworm": {"supervisor": "4.2.5", "gevent": "22.10.2"},
           "trixie": {"supervisor": "4.2.5", "gevent": "24.11.1"}}
"""What each Debian has of what we depend on, by the names that a bug report uses."""


def agent(terminal) -> int:
    return terminal.pid_of("econduit:agent")


def test_a_sale(terminal):
    answer = terminal.run("econduit-sandbox", "sale", "--terminal", "29531204", "--ref", "r1").stdout
    assert '"Approved"' in answer
    # the cloud has the answer before the agent knows that it has
    terminal.until("the answer counts as delivered", lambda: terminal.status()["transactions"]["delivered"] == 1)


def test_the_reconnect_policy_changes_with_a_file_and_a_signal(terminal):
    pid = agent(terminal)
    terminal.write("/etc/econduit-terminal/conf.d/50-gentle.ini", "[reconnect]\nbase_delay = 20s\nmax_delay = 10min\n",
                   0o640)
    terminal.ctl("signal", "HUP", "econduit:agent")
    terminal.until("the agent says what changed", lambda: "settings read again: reconnect.base_delay, "
                   "reconnect.max_delay" in terminal.ctl("tail", "-20000", "econduit:agent"))
    assert agent(terminal) == pid and terminal.online()


def test_what_root_can_read_and_the_agent_cannot_is_told_before_it_is_used(terminal):
    terminal.run("econduit-agent", "check-config")
    terminal.write("/etc/econduit-terminal/conf.d/50-pushed.ini", "[reconnect]\nbase_delay = 20s\n", 0o600)
    checked = terminal.run("econduit-agent", "check-config", check=False)
    assert checked.returncode == 2 and "50-pushed.ini: cannot be read (Permission denied)" in checked.stdout


@pytest.mark.parametrize("program", ["econduit:agent", "econduit:watchdog"])
def test_a_killed_program_is_back(terminal, program):
    pid = terminal.pid_of(program)
    terminal.kill(pid)
    terminal.until("it is back", lambda: terminal.pid_of(program) not in (0, pid))
    terminal.until("the terminal is online", terminal.online)


def test_a_hung_agent_is_replaced_by_the_watchdog_which_is_not_root(terminal):
    terminal.write("/etc/econduit-terminal/conf.d/50-quick.ini",
                   "[watchdog]\nhealth_interval = 200ms\nhealth_timeout = 200ms\n")
    watchdog = terminal.pid_of("econduit:watchdog")
    terminal.ctl("signal", "HUP", "econduit:watchdog")
    log = "/var/log/supervisor/econduit-watchdog.log"
    terminal.until("the watchdog began again", lambda: terminal.read(log).count("watching the network") == 2)
    assert terminal.pid_of("econduit:watchdog") == watchdog
    pid = agent(terminal)
    terminal.kill(pid, signal.SIGSTOP)
    terminal.until("another agent runs", lambda: agent(terminal) not in (0, pid))
    terminal.until("the terminal is online", terminal.online)


def test_after_a_killed_supervisord_the_next_one_takes_over(terminal):
    before = terminal.processes()
    terminal.kill(terminal.supervisord())
    terminal.until("supervisord is gone", lambda: not terminal.states())
    terminal.run("rm", "-f", "/run/supervisor.sock", "/run/supervisord.pid")
    terminal.start_supervisord()
    terminal.until("one of each, and new ones", lambda: len(terminal.processes()) == 2
                   and not terminal.processes().keys() & before.keys())
    terminal.until("the terminal is online", terminal.online)


def test_both_programs_are_without_rights(terminal):
    processes = terminal.processes()
    assert len(processes) == 2
    group = terminal.run("getent", "group", "econduit").stdout.split(":")[2]
    for pid in processes:
        facts = dict(line.split(":\t", 1) for line in terminal.run("cat", f"/proc/{pid}/status").stdout.splitlines()
                     if ":\t" in line)
        assert facts["Groups"].split() == [group]
        assert len(set(facts["Uid"].split())) == len(set(facts["Gid"].split())) == 1
        assert {int(facts[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
        assert facts["NoNewPrivs"] == "1"


def test_strangers_see_neither_journal_nor_pushed_settings_and_give_no_orders(terminal):
    for path in ("/var/lib/econduit-terminal/journal.sqlite3", "/etc/econduit-terminal/conf.d/10-sandbox.ini",
                 "/run/econduit-terminal/device/serial"):
        assert terminal.run("cat", path, user="nobody", check=False).returncode != 0, path
    told = terminal.run("econduit-agent", "status", "--socket", "/run/econduit-terminal/agent.sock", user="nobody",
                        check=False)
    assert told.returncode == 4 and "group econduit" in told.stdout
    assert '"POS Online"' in terminal.run("cat", "/run/econduit-terminal/status.json", user="nobody").stdout


def test_the_programs_import_nothing_that_debian_does_not_have(terminal):
    for program in ("econduit-agent", "econduit-watchdog", "econduit-sandbox"):
        assert terminal.run(program, "--version").stdout
        assert terminal.run(program, "--help").stdout


def test_the_agent_does_not_carry_the_plugin_machinery_of_debians_gevent(terminal):
    """It would cost 6 MB for as long as the terminal runs, and 60 ms at each start."""
    script = ("import sys; from econduit_terminal.agent import __main__ as program\n"
              "class App:\n    run = staticmethod(lambda directory: print(*sys.modules) or 0)\n"
              "sys.modules['econduit_terminal.agent.app'] = App\n"
              "program.main(['run'])")
    modules = terminal.run("python3", "-c", script).stdout.split()
    assert "gevent.events" in modules and "pkg_resources" not in modules


def test_a_bugreport_by_root_has_everything(terminal, release):
    terminal.run("econduit-agent", "bugreport", "--output", "/tmp/report.tar.gz")
    with tarfile.open(terminal.path("/tmp/report.tar.gz")) as archive:
        parts = {entry.name.partition("/")[2]: archive.extractfile(entry).read().decode() for entry in archive}
    assert '"POS Online"' in parts["status.json"]
    assert [line for name, version in SHIPPED[release].items()
            if (line := f"{name}: {version}\n") not in parts["about.txt"]] == []
    assert f"econduit-terminal {VERSION} ii" in parts["packages.txt"]
    assert "cloud.primary = 127.0.0.1:9000    (/etc/econduit-terminal/conf.d/10-sandbox.ini:2)" in parts["settings.txt"]
    assert re.search(r"econduit:watchdog +(STARTING|RUNNING)", parts["supervisor.txt"])
    assert parts["processes.txt"].count("open files\nName:") == 2
    assert "registered with 127.0.0.1:9000" in parts["agent.log"] and "watching the network" in parts["watchdog.log"]
    assert "spawned: 'agent'" in parts["supervisord.log"]


def test_the_test_that_autopkgtest_runs(image):
    image.write("/tmp/terminal", (debian_root.ROOT / "debian/tests/terminal").read_text(), 0o755)
    assert "POS Online" in image.run("/tmp/terminal").stdout
