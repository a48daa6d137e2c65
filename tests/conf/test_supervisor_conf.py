"""conf/supervisor.conf in the hands of supervisor itself."""
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from econduit_terminal.conf import settings

CONF = Path(settings.__file__).parent / "supervisor.conf"


@pytest.fixture
def main(tmp_path):
    """The configuration of an ordinary user's supervisord that includes ours."""
    file = tmp_path / "supervisord.conf"
    file.write_text(f"[supervisord]\nchildlogdir={tmp_path}\nlogfile={tmp_path}/supervisord.log\n"
                    f"pidfile={tmp_path}/supervisord.pid\n[include]\nfiles={CONF}\n")
    return file


@pytest.fixture
def programs(main):
    """The two programs as supervisord understands them, by name."""
    options = ServerOptions()
    options.realize(["-n", "-c", str(main)])
    group, = options.process_group_configs
    assert group.name == "econduit"
    return {program.name: program for program in group.process_configs}


def test_the_names_an_operator_types(programs):
    assert set(programs) == {"agent", "watchdog"}
    assert programs["agent"].command == "econduit-agent run"
    assert programs["watchdog"].command == "econduit-watchdog run"


def test_the_file_of_the_package_is_that_of_1_0_0():
    """To the letter: 1.0.0 left no copy of it, so that dpkg would ask about one that was edited, and an upgrade that
    nobody watches would fail. Before it changes, the package's preinst must have another way."""
    script = Path(__file__).parents[2] / "debian/supervisor-conf"
    made = subprocess.run([script], stdin=CONF.open(), capture_output=True, check=True).stdout
    assert hashlib.md5(made).hexdigest() == "fcde6496f3504cb3d49281139a825626"


def test_its_sections_meet_no_other_product_in_conf_d():
    sections = [line for line in CONF.read_text().splitlines() if line.startswith("[")]
    assert all("econduit" in section for section in sections)


@pytest.mark.parametrize("name", ["agent", "watchdog"])
def test_restarted_for_ever(programs, name):
    program = programs[name]
    assert program.autostart and program.autorestart.__name__ == "RestartUnconditionally"
    assert program.startretries == 1_000_000
    assert program.startsecs == 3


@pytest.mark.parametrize("name", ["agent", "watchdog"])
def test_logs_are_small_and_in_one_stream(programs, name):
    program = programs[name]
    assert program.redirect_stderr
    assert (program.stdout_logfile_maxbytes, program.stdout_logfile_backups) == (1024 * 1024, 3)


def test_the_agent_has_the_time_to_end_its_transaction(programs):
    assert programs["agent"].stopwaitsecs > settings.load(None).transactions.drain
    assert not programs["agent"].stopasgroup and not programs["agent"].killasgroup


def test_the_watchdog_is_stopped_before_the_agent_it_watches(programs):
    assert programs["watchdog"].priority > programs["agent"].priority  # supervisor stops the highest number first


def test_no_path_and_no_user_so_that_it_serves_everywhere(programs):
    text = "\n".join(line for line in CONF.read_text().splitlines() if not line.startswith(";"))
    assert "/" not in text and "user=" not in text and "%" not in text
    assert all(program.uid is None for program in programs.values())


def test_the_programs_inherit_what_differs_from_the_environment_of_supervisord(main, tmp_path):
    """A real supervisord, with stand-ins for the programs that write down what they were given."""
    programs = tmp_path / "bin"
    programs.mkdir()
    seen = tmp_path / "seen"
    os.mkfifo(seen)
    for name in ("econduit-agent", "econduit-watchdog"):
        (programs / name).write_text(f'#!/bin/sh\necho "$0 $* $ECONDUIT_CONFIG_DIR" > {seen}\nexec sleep 60\n')
        (programs / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "ECONDUIT_CONFIG_DIR": "/settings"}
    daemon = subprocess.Popen([sys.executable, "-m", "supervisor.supervisord", "-n", "-c", main], env=environment,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    held = os.open(seen, os.O_RDWR)  # so that the reader meets no end between the one program and the other
    reader = subprocess.Popen(["head", "-n", "2", seen], stdout=subprocess.PIPE, text=True)
    try:
        output, _ = reader.communicate(timeout=30)
    finally:
        reader.kill()
        daemon.terminate()
        daemon.wait(60)
        os.close(held)
    assert sorted(output.splitlines()) == [f"{programs}/econduit-agent run /settings",
                                           f"{programs}/econduit-watchdog run /settings"]
