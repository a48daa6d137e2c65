"""econduit-fleet load: what it says before it begins, and what it does not begin with."""
import resource
import subprocess
import sys

import pytest

from econduit_terminal.conf.values import Endpoint
from econduit_terminal.sandbox.fleet.load.run import address_of, main
from econduit_terminal.sandbox.fleet.options import PROGRAM


def load(*words: object, files: int | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the command with Locust told to print its version, or until the command's own mistake."""
    limit = None if files is None else lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    return subprocess.run(
        [sys.executable, "-m", "econduit_terminal.sandbox.fleet", "load", *map(str, words), "--", "--version"],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, preexec_fn=limit)


def test_it_says_what_it_needs_and_becomes_locust():
    done = load("--terminals", 1000, "--cloud", "127.0.0.1:9")
    assert done.returncode == 0 and done.stdout.startswith("locust")
    assert "1,000 terminals to 127.0.0.1:9: 1,120 of " in done.stderr and "1 source address(es)" in done.stderr


def test_too_few_open_files_are_said_with_the_remedy():
    done = load("--terminals", 1000, "--cloud", "127.0.0.1:9", files=600)
    assert done.returncode == 2 and done.stdout == ""
    assert "open files: 1,000 terminals in 1 process need 1,120 in each, and the limit is 600: use --processes 3, or " \
           "raise it with ulimit -n" in done.stderr
    assert load("--terminals", 1000, "--cloud", "127.0.0.1:9", "--processes", 3, files=600).returncode == 0


def test_too_few_source_ports_are_said_with_the_remedy():
    done = load("--terminals", "1M", "--processes", 64, "--cloud", "[::1]:9")
    assert done.returncode == 2 and "source ports: 1 local address with" in done.stderr and "--source" in done.stderr


def test_a_worker_needs_no_plan_and_a_master_has_no_limit_of_its_own():
    assert load("--worker").returncode == 0
    done = load("--master", "--terminals", "1M", "--cloud", "127.0.0.1:9")
    assert done.returncode == 0 and "each worker's machine has limits of its own" in done.stderr


def test_a_cloud_without_room_is_said(cloud):
    room = cloud.ready["terminals"]
    done = load("--terminals", room + 1, "--processes", 4, "--cloud", f"127.0.0.1:{cloud.primary}", "--url", cloud.url,
                "--scene", "cut")
    assert done.returncode == 2 and f"has room for {room:,} terminals, not for {room + 1:,}" in done.stderr


@pytest.mark.parametrize("words, said", [
    (("--scene", "away", "--cloud", "127.0.0.1:9"), "name its HTTP side with --url"),
    (("--scene", "vanished"), "no program can play silent"),
    (("--scene", "cut", "--outage", "5s"), "--outage means nothing"),
    (("--scene", "cut", "--stay", "5s"), "--stay is for"),
    (("--scene", "away", "--url", "http://127.0.0.1:9"), "no econduit-sandbox cloud"),
    (("--sales", "5/s", "--cloud", "127.0.0.1:9"), "--sales needs"),
    (("--cloud", "name.invalid:9"), "name.invalid:9: "),
    (("--config-dir", "/nowhere"), "/nowhere"),
    (("--terminals", "5", "--cloud", "127.0.0.1:9", "--save", "/"), "/ cannot be written (Is a directory)"),
])
def test_what_cannot_work_is_said(words, said, capsys):
    assert main(PROGRAM.parse(["load", *words])) == 2
    assert said in capsys.readouterr().err


def test_settings_with_tls_are_not_for_a_load(tmp_path, capsys):
    (tmp_path / "a.ini").write_text("[cloud]\ntls = yes\n")
    assert main(PROGRAM.parse(["load", "--config-dir", str(tmp_path)])) == 2
    assert "speaks no TLS" in capsys.readouterr().err


def test_an_address_is_found():
    assert address_of(Endpoint("127.0.0.1", 9)) == "127.0.0.1"
