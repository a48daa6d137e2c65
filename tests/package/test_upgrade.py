"""From the package of release 1.0.0 to this one, by apt, on a machine that runs: with its settings, its journal and an
answer that waits. The package of 1.0.0 is built from this repository's history."""
import hashlib
import json
import shutil
import subprocess

import debian_root
import pytest
from debian_machine import Machine

RELEASE = "b68d34e"
OLD_TERMINAL, OLD_SANDBOX = "econduit-terminal_1.0.0_all.deb", "econduit-sandbox_1.0.0_all.deb"
ETC = "/etc/econduit-terminal"
FILES = ("reconnect.ini", "terminal.ini", "watchdog.ini")
PUSHED = """[reconnect]
base_delay = 20s
first_retry = 15s
[transactions]
queue = 1
frame_gap = 250ms
[watchdog]
health_interval = 5s
"""
"""What a management system may have pushed to terminals of 1.0.0, whose max_delay was 30 s."""


@pytest.fixture(scope="session")
def releases(packages, unavailable, tmp_path_factory):
    """The built packages, those of 1.0.0 among them."""
    tree = tmp_path_factory.mktemp("1.0.0")
    archive = subprocess.run(["git", "-C", debian_root.ROOT, "archive", RELEASE], capture_output=True)
    if archive.returncode:
        unavailable(f"upgrades are tried from release 1.0.0, and the history here does not have it ({RELEASE}: "
                    f"{archive.stderr.decode().strip()}); git fetch --unshallow")
    subprocess.run(["tar", "-x", "-C", tree], input=archive.stdout, check=True)
    subprocess.run([tree / "scripts/build-deb", "--no-lintian", "--output", packages.folder], check=True,
                   capture_output=True)
    shutil.rmtree(tree)
    return packages


@pytest.fixture(scope="session")
def old_layers(releases, make_image):
    """Both packages of 1.0.0 installed."""
    return make_image(OLD_TERMINAL, OLD_SANDBOX)


@pytest.fixture
def old(releases, old_layers, sandbox):
    """A machine on which the terminal of 1.0.0 is online at a sandbox beside it."""
    with Machine(old_layers, releases.folder) as machine:
        machine.device("29531204")
        machine.write(f"{ETC}/conf.d/10-sandbox.ini",
                      "[cloud]\nprimary = 127.0.0.1:9000\nsecondary = 127.0.0.1:9001\n", 0o640)
        machine.write(f"{ETC}/conf.d/50-tms.ini", PUSHED, 0o640)
        sandbox(machine)
        machine.start_supervisord()
        machine.until("online", machine.online)
        assert machine.status()["version"] == "1.0.0"
        yield machine


def new_version(machine, packages) -> bool:
    return machine.status().get("version") == packages.terminal.split("_")[1]


def sale(machine, ref: str, amount: str = "2.50") -> dict:
    done = machine.run("econduit-sandbox", "sale", "--terminal", "29531204", "--ref", ref, "--amount", amount,
                       check=False)
    return json.loads(done.stdout[done.stdout.index("{"):])


def runs(machine) -> list[str]:
    """The RefIDs that the application has run."""
    return [json.loads(line)["RefID"] for line in machine.read("/tmp/ledger").splitlines()]


def kill_cloud(machine) -> None:
    machine.run("sh", "-c", "for p in /proc/[0-9]*; do if tr '\\0' ' ' <$p/cmdline | grep -q 'sandbox[ ]cloud'; "
                            "then kill -9 ${p#/proc/}; fi; done 2>/dev/null; true")


def test_the_journal_goes_along_nothing_runs_twice_and_the_answer_that_waited_goes_out(old, releases):
    delivered = sale(old, "delivered")
    # The agent dies while the customer is at the terminal: nobody will ever know.
    old.start("econduit-sandbox", "sale", "--terminal", "29531204", "--ref", "unknown", "--amount", "7.02")
    old.until("the application runs it", lambda: "unknown" in runs(old))
    agent = old.pid_of("econduit:agent")
    old.kill(agent)
    old.until("another agent is online", lambda: old.pid_of("econduit:agent") not in (0, agent) and old.online())
    # The cloud dies while the customer is at the terminal: the answer waits for it.
    old.start("econduit-sandbox", "sale", "--terminal", "29531204", "--ref", "waits", "--amount", "7.02")
    old.until("the application runs it", lambda: "waits" in runs(old))
    kill_cloud(old)
    old.until("its answer waits", lambda: old.status()["transactions"]["pending"] == 1)

    old.install(releases.terminal, releases.sandbox)
    old.until("the new version runs", lambda: new_version(old, releases))
    old.start("econduit-sandbox", "cloud", log="/tmp/cloud.log")
    old.until("it is online", old.online)
    old.until("the answer that waited is delivered", lambda: old.status()["transactions"]["delivered"] == 1)
    assert "ref=waits" in next(line for line in old.read("/tmp/cloud.log").splitlines() if "unsolicited: " in line)

    assert sale(old, "delivered")["AuthCode"] == delivered["AuthCode"]
    again = sale(old, "unknown", "7.02")
    assert again["ResultCode"] == "Failed" and "interrupted" in again["Message"]
    assert sale(old, "waits", "7.02")["ResultCode"] == "Approved"
    assert sorted(runs(old)) == ["delivered", "unknown", "waits"]
    assert sale(old, "new")["ResultCode"] == "Approved" and "new" in runs(old)


def test_pushed_settings_of_1_0_0_are_accepted(old, releases):
    old.install(releases.terminal, releases.sandbox)
    old.until("the new version is online", lambda: new_version(old, releases) and old.online())
    checked = old.run("econduit-agent", "check-config").stdout
    assert "base_delay: 20s is more than max_delay (10s), and counts instead of it" in checked
    script = ("from pathlib import Path; from econduit_terminal.conf import settings; "
              f"s = settings.load(Path('{ETC}')); print(s.reconnect.base_delay, s.reconnect.first_retry, "
              "s.transactions.queue, s.transactions.frame_gap, s.watchdog.health_interval)")
    assert old.run("python3", "-c", script).stdout.split() == ["20.0", "15.0", "1", "0.25", "5.0"]


def recorded(machine) -> dict[str, str]:
    """Conffile -> the MD5 sum of what dpkg installed last."""
    told = machine.run("dpkg-query", "--show", "--showformat", "${Conffiles}\n", "econduit-terminal").stdout
    return {row.split()[0]: row.split()[1] for row in told.splitlines() if row.strip()}


def md5(machine, path: str) -> str:
    return hashlib.md5(machine.path(path).read_bytes()).hexdigest()


def edit(machine, name: str, old_text: str, new_text: str) -> str:
    text = machine.read(f"{ETC}/{name}").replace(old_text, new_text)
    machine.write(f"{ETC}/{name}", text)
    return text


def test_untouched_settings_files_are_replaced_and_edited_ones_stay_without_a_question(old, releases):
    """Nobody is there to answer it: on a machine in a shop, apt runs from a script."""
    edited = edit(old, "terminal.ini", "\nid =", "\nid = 4711")
    watchdog = edit(old, "watchdog.ini", "poll = 5s", "poll = 6s")
    supervisor = edit(old, "supervisor.conf", "stopwaitsecs=180", "stopwaitsecs=400")
    before = {name: old.read(f"{ETC}/{name}") for name in FILES}
    old.install(releases.terminal, releases.sandbox)
    old.until("the new version is online", lambda: new_version(old, releases) and old.online())
    assert old.read(f"{ETC}/terminal.ini") == edited and old.read(f"{ETC}/watchdog.ini") == watchdog
    assert old.read(f"{ETC}/supervisor.conf") == supervisor
    assert old.read(f"{ETC}/reconnect.ini") != before["reconnect.ini"]
    sums = recorded(old)
    for path in (f"{ETC}/reconnect.ini", f"{ETC}/terminal.ini.dpkg-dist", f"{ETC}/watchdog.ini.dpkg-dist"):
        assert md5(old, path) == sums[path.removesuffix(".dpkg-dist")], path
    assert old.status()["terminal_id"] == "4711"
    assert sorted(path.name for path in old.path(ETC).iterdir()) == sorted(
        [*FILES, "conf.d", "supervisor.conf", "terminal.ini.dpkg-dist", "watchdog.ini.dpkg-dist"])
    old.run("apt-get", "purge", "-y", "econduit-terminal")
    assert not old.path(ETC).exists()


def test_settings_files_that_were_removed_stay_so_without_a_question(old, releases):
    for name in FILES:
        old.path(f"{ETC}/{name}").unlink()
    old.install(releases.terminal, releases.sandbox)
    old.until("the new version is online", lambda: new_version(old, releases) and old.online())
    assert sorted(path.name for path in old.path(ETC).iterdir()) == ["conf.d", "supervisor.conf"]


def test_an_upgrade_that_fails_half_way_leaves_edited_settings_as_they_were(old, releases):
    edited = edit(old, "terminal.ini", "\nid =", "\nid = 4711")
    old.path(f"{ETC}/watchdog.ini").unlink()
    old.ctl("signal", "HUP", "econduit:agent")
    old.until("it has its number", lambda: old.status().get("terminal_id") == "4711")
    package = old.path(f"/packages/{releases.terminal}")
    whole = package.read_bytes()
    package.write_bytes(whole[:-2000])
    assert old.run("dpkg", "--install", f"/packages/{releases.terminal}", check=False).returncode != 0
    assert old.read(f"{ETC}/terminal.ini") == edited
    assert sorted(path.name for path in old.path(ETC).iterdir()) == [
        "conf.d", "reconnect.ini", "supervisor.conf", "terminal.ini"]
    package.write_bytes(whole)
    old.install(releases.terminal, releases.sandbox)
    old.until("the new version is online", lambda: new_version(old, releases) and old.online())
    assert old.read(f"{ETC}/terminal.ini") == edited and old.status()["terminal_id"] == "4711"


@pytest.mark.parametrize("option", ["--force-confold", "--force-confnew"])
def test_who_told_dpkg_what_to_do_gets_that(old, releases, option):
    edited = edit(old, "terminal.ini", "\nid =", "\nid = 4711")
    old.run("apt-get", "install", "-y", "-o", f"Dpkg::Options::={option}", f"/packages/{releases.terminal}",
            f"/packages/{releases.sandbox}")
    assert (old.read(f"{ETC}/terminal.ini") == edited) is (option == "--force-confold")
