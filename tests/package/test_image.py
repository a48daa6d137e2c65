"""Installed as the script of an image does it, and booted on another machine."""
from debian_machine import changes

LINK = "/etc/supervisor/conf.d/econduit-terminal.conf"


def mode(machine, path) -> str:
    return machine.run("stat", "-c", "%a %U:%G", path).stdout.strip()


def test_nothing_is_started_and_nothing_of_the_building_machine_stays(image):
    assert image.processes() == {}
    assert not image.path("/run/econduit-terminal").exists()
    assert image.run("readlink", "-e", LINK).stdout.strip() == "/etc/econduit-terminal/supervisor.conf"


def test_where_nothing_may_be_started_a_running_supervisord_is_left_alone(running, packages):
    running.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
    running.install(packages.terminal)
    assert set(running.states()) == {"other"}


def test_the_user_and_its_files(image):
    _, _, _, _, _, home, shell = image.run("getent", "passwd", "econduit").stdout.strip().split(":")
    assert (home, shell) == ("/var/lib/econduit-terminal", "/usr/sbin/nologin")
    assert mode(image, "/var/lib/econduit-terminal") == "750 econduit:econduit"
    assert mode(image, "/etc/econduit-terminal/conf.d") == "2750 root:econduit"
    assert mode(image, "/etc/econduit-terminal/terminal.ini") == "644 root:root"


def test_a_user_that_was_there_before_gets_the_group(bare, packages):
    bare.run("adduser", "--quiet", "--system", "econduit")
    bare.install(packages.terminal)
    assert mode(bare, "/var/lib/econduit-terminal") == "750 econduit:econduit"
    assert bare.run("/usr/lib/econduit-terminal/launch", "id", "-gn").stdout == "econduit\n"


def test_each_machine_goes_by_its_own_serial_number_at_every_boot(image):
    for serial in ("A-1001", "B-2002"):
        image.device(serial)
        image.start_supervisord()
        status = image.until("the agent runs", image.status)
        assert status["terminal_id"] == serial
        assert mode(image, "/run/econduit-terminal/device/serial") == "640 root:econduit"
        image.ctl("shutdown")
        image.until("all ended", lambda: not image.processes())
        image.run("sh", "-c", "rm -rf /run/*")


def test_a_device_without_a_serial_number_waits_for_a_setting(image):
    image.start_supervisord()
    status = image.until("the agent runs", image.status)
    assert status["reason"].startswith("settings wrong: terminal.type: is empty")
    pid = image.pid_of("econduit:agent")
    said = image.ctl("tail", "econduit:agent")
    assert "terminal.id: is empty" in said and "correct them, then supervisorctl signal HUP econduit:agent" in said
    image.write("/etc/econduit-terminal/conf.d/50-this.ini", "[terminal]\ntype = Maker\nmodel = One\nid = 29531204\n")
    image.ctl("signal", "HUP", "econduit:agent")
    image.until("the setting works", lambda: image.status()["terminal_id"] == "29531204")
    assert image.pid_of("econduit:agent") == pid


def test_what_is_in_run_cannot_lead_root_elsewhere(image):
    """The agent's own folder belongs to econduit, who could put a link where root writes next."""
    image.device("29531204")
    image.run("install", "-d", "-o", "econduit", "/run/econduit-terminal")
    image.run("ln", "-s", "/etc", "/run/econduit-terminal/device", user="econduit")
    before = image.files()
    image.run("/usr/lib/econduit-terminal/launch", "/usr/bin/econduit-agent", "--version")
    assert image.read("/run/econduit-terminal/device/serial") == "29531204\n"
    assert [path for path in changes(before, image.files()) if not path.startswith("/run/")] == []


def test_a_broken_terminal_does_not_take_supervisord_along(image):
    """Its user and its logs gone: every other program of the machine must start all the same."""
    image.write("/etc/supervisor/conf.d/other.conf", "[program:other]\ncommand=sleep infinity\n")
    image.run("userdel", "econduit")
    image.run("sh", "-c", "rm -f /var/log/supervisor/*")
    image.start_supervisord()
    image.until("the other program runs", lambda: image.states().get("other") == "RUNNING")
