"""Installed, upgraded, removed and purged on a machine that runs."""
import signal

import pytest
from debian_machine import changes

PROGRAMS = ("econduit:agent", "econduit:watchdog")


def both_run(machine) -> bool:
    states = machine.states()
    return all(states.get(program) == "RUNNING" for program in PROGRAMS)


def test_installed_removed_and_purged_beside_another_program(running, packages):
    other, files = running.pid_of("other"), running.files()
    running.install(packages.terminal)
    running.until("both run", lambda: both_run(running))
    assert running.status()["terminal_id"] == "29531204"
    running.write("/etc/econduit-terminal/conf.d/50-tms.ini", "[terminal]\nid = 7\n")
    running.write("/etc/econduit-terminal/own.ini", "[local]\nlog_level = debug\n")
    running.run("adduser", "--quiet", "daemon", "econduit")
    running.run("dpkg-statoverride", "--add", "--update", "root", "econduit", "2770", "/etc/econduit-terminal/conf.d")

    running.run("apt-get", "remove", "-y", "econduit-terminal")
    assert running.states() == {"other": "RUNNING"} and running.processes() == {}
    assert running.path("/etc/econduit-terminal/terminal.ini").exists()
    assert running.path("/var/lib/econduit-terminal/journal.sqlite3").exists()

    running.run("find", "/var/lib/econduit-terminal", "-mindepth", "1", "-delete")
    running.run("mount", "-t", "tmpfs", "own", "/var/lib/econduit-terminal")
    running.run("touch", "/var/lib/econduit-terminal/journal.sqlite3")
    running.run("mount", "-t", "tmpfs", "own", "/etc/econduit-terminal/conf.d")
    running.run("touch", "/etc/econduit-terminal/conf.d/50-tms.ini")
    running.run("apt-get", "purge", "-y", "econduit-terminal")
    for folder in ("/var/lib/econduit-terminal", "/etc/econduit-terminal/conf.d"):
        assert running.run("ls", "-A", folder).stdout == ""
        running.run("umount", folder)
    running.path("/var/lib/econduit-terminal").rmdir()
    running.run("rm", "-r", "/etc/econduit-terminal/conf.d")        # what was under the mount
    running.path("/etc/econduit-terminal").rmdir()
    running.run("rm", "-rf", "/run/mount")      # mount's own
    assert running.pid_of("other") == other
    # dpkg works no more where an override names a group that is gone.
    assert running.run("dpkg-statoverride", "--list", check=False).stdout == ""
    running.run("dpkg", "--configure", "--pending")
    running.run("rm", "-f", "/var/lib/dpkg/statoverride")       # dpkg's own, empty
    assert changes(files, running.files()) == {}


def test_a_sandbox_where_no_terminal_is_starts_nothing_and_makes_way_for_one(running, packages):
    running.install(packages.modules, packages.sandbox)
    assert running.states() == {"other": "RUNNING"} and running.processes() == {}
    assert not running.path("/etc/econduit-terminal").exists()
    assert "OK-REGISTRATION" in running.run("econduit-certify", "terminal", "--list").stdout
    running.install(packages.terminal)
    running.until("both run", lambda: both_run(running))
    assert running.run("econduit-certify", "--version").stdout.startswith("econduit-certify")


def test_removed_but_not_purged_supervisord_starts_without_it(running, packages):
    running.install(packages.terminal)
    running.run("apt-get", "remove", "-y", "econduit-terminal")
    running.ctl("shutdown")
    running.until("supervisord ended", lambda: not running.path("/run/supervisor.sock").exists())
    running.start_supervisord()
    running.until("the other program runs", lambda: running.states() == {"other": "RUNNING"})
    running.install(packages.terminal)
    running.until("both run", lambda: both_run(running))


def test_installed_upgraded_and_removed_while_supervisord_is_stopped(bare, packages):
    files = bare.files()
    bare.install(packages.before)
    bare.install(packages.terminal)
    assert bare.processes() == {} and bare.states() == {}
    bare.run("apt-get", "purge", "-y", "econduit-terminal")
    assert changes(files, bare.files()) == {}


def test_an_upgrade_keeps_settings_and_journal_and_runs_the_new_version(running, packages, sandbox):
    running.install(packages.before, packages.sandbox.replace(packages.terminal.split("_")[1],
                                                              packages.before.split("_")[1]))
    running.write("/etc/econduit-terminal/conf.d/10-sandbox.ini",
                  "[cloud]\nprimary = 127.0.0.1:9000\nsecondary = 127.0.0.1:9001\n")
    edited = running.read("/etc/econduit-terminal/terminal.ini").replace("\nid =", "\nid = 4711")
    running.write("/etc/econduit-terminal/terminal.ini", edited)
    sandbox(running)
    running.ctl("signal", "HUP", "econduit:agent")
    running.until("online", running.online)
    first = running.run("econduit-sandbox", "sale", "--terminal", "4711", "--ref", "r1").stdout
    assert running.status()["version"] == "0.9.9"
    other = running.pid_of("other")

    running.install(packages.terminal, packages.sandbox)
    running.until("online with the new version",
                  lambda: running.online() and running.status()["version"] == packages.terminal.split("_")[1])
    assert running.read("/etc/econduit-terminal/terminal.ini") == edited
    assert running.run("econduit-sandbox", "sale", "--terminal", "4711", "--ref", "r1").stdout == first
    assert len(running.read("/tmp/ledger").splitlines()) == 1, "the journal knows that this one was run"
    assert running.pid_of("other") == other


@pytest.mark.parametrize("changed", [False, True])
def test_what_an_operator_stopped_stays_stopped_over_an_upgrade(running, packages, changed):
    running.install(packages.before)
    running.until("both run", lambda: both_run(running))
    agent = running.pid_of("econduit:agent")
    running.ctl("stop", "econduit:watchdog")
    if changed:     # supervisord then takes the group for a new one
        file = "/etc/econduit-terminal/supervisor.conf"
        running.write(file, running.read(file).replace("stopwaitsecs=10\n", "stopwaitsecs=11\n"))
    said = running.read("/var/log/supervisor/econduit-watchdog.log")
    running.install(packages.terminal)
    running.until("the agent is started again", lambda: running.states()["econduit:agent"] == "RUNNING")
    assert running.pid_of("econduit:agent") != agent
    assert running.states()["econduit:watchdog"] == "STOPPED"
    assert running.read("/var/log/supervisor/econduit-watchdog.log") == said, "not even for a moment"


def test_a_mistake_in_the_file_of_another_program_stops_neither_upgrade_nor_removal(running, packages):
    """supervisord cannot read its configuration then, nor supervisorctl update do anything."""
    running.install(packages.before)
    running.until("both run", lambda: both_run(running))
    running.write("/etc/supervisor/conf.d/broken.conf", "nonsense\n")
    assert "supervisorctl reread names it" in running.install(packages.terminal)
    running.until("the new version runs", lambda: running.status().get("version") == packages.terminal.split("_")[1])
    running.run("apt-get", "remove", "-y", "econduit-terminal")
    assert running.states() == {"other": "RUNNING"} and running.processes() == {}


def test_removed_after_supervisord_was_killed_nothing_of_it_runs_on(running, packages):
    running.install(packages.terminal)
    running.until("both run", lambda: both_run(running))
    running.kill(running.supervisord(), signal.SIGKILL)
    assert running.processes() != {}
    running.run("apt-get", "remove", "-y", "econduit-terminal")
    assert running.processes() == {}


def test_a_process_of_another_root_with_the_same_user_number_is_left_alone(running, packages):
    """As where an image is built in a chroot, on a machine where that number is somebody else."""
    running.install(packages.terminal)
    running.until("both run", lambda: both_run(running))
    running.run("sh", "-c", "mkdir -p /elsewhere/usr && mount --bind /usr /elsewhere/usr && cd /elsewhere && "
                "ln -s usr/bin bin && ln -s usr/lib lib && ln -s usr/lib64 lib64")
    running.start("chroot", f"--userspec={running.run('id', '-u', 'econduit').stdout.strip()}", "/elsewhere",
                  "/bin/sleep", "infinity")
    running.until("the other one runs", lambda: "/bin/sleep infinity" in running.processes().values())
    running.run("apt-get", "remove", "-y", "econduit-terminal")
    assert list(running.processes().values()) == ["/bin/sleep infinity"]
