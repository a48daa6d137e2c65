"""docs/integrating.md: its payment applications behind a real terminal, and its reading of the status file."""
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sandbox_client import Cloud, reserve
from supervisord import Supervisor
from terminal_lab import Terminal
from waiting import PATIENCE, until

from econduit_terminal.agent.api.api import KEEPALIVE
from econduit_terminal.process.line_file import VALID_FOR

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
EXAMPLES = DOCS / "examples"
TEXT = (DOCS / "integrating.md").read_text()
XML = "<request><Command>Sale</Command><Amount>{}</Amount><RefID>{}</RefID></request>"


@pytest.fixture(scope="module")
def supervisor():
    with Supervisor() as running:
        yield running


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    running = Cloud(tmp_path_factory.mktemp("cloud") / "cloud.log")
    running.start()
    yield running
    running.close()


@pytest.fixture(params=["payment_app.py", "payment_app.c", "payment_app.sh"])
def application(request, tmp_path):
    """The setting `transactions.application` for a running example."""
    source = EXAMPLES / request.param
    if source.suffix == ".sh":
        copy = tmp_path / source.name       # readable for whoever the agent runs as
        shutil.copy(source, copy)
        yield f"exec:{copy}"
        return
    command = [sys.executable, str(source)]
    if source.suffix == ".c":
        command = [str(tmp_path / "payment_app")]
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", command[0], source], check=True)
    with reserve() as port:
        number = port.getsockname()[1]
    with subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield f"tcp://127.0.0.1:{number}"
        finally:
            process.kill()


@pytest.fixture
def terminal(supervisor, cloud, application):
    with Terminal(supervisor, {"cloud.primary": f"127.0.0.1:{cloud.primary}",
                               "cloud.secondary": f"127.0.0.1:{cloud.secondary}",
                               "transactions.application": application}) as made:
        made.start()
        made.wait_online()
        yield made


def test_each_application_answers_json_and_xml_in_kind(terminal, cloud):
    for amount, result in (("2.50", "Approved"), ("5.05", "Declined")):
        answer = cloud.run_transaction(terminal.id, amount, ref=f"J{amount}", wait=PATIENCE)
        assert (answer["ResultCode"], answer["RefID"]) == (result, f"J{amount}")
        mark = cloud.mark()
        cloud.misbehave("raw", terminal=terminal.id, text=XML.format(amount, f"X{amount}"))
        answer = cloud.wait_event("unsolicited", since=mark, terminal=terminal.id, timeout=PATIENCE)["body"]
        assert answer.startswith("<response>") and f"<ResultCode>{result}</ResultCode>" in answer
        assert f"<RefID>X{amount}</RefID>" in answer


@pytest.mark.parametrize("name", re.findall(r"\(examples/(\w+\.\w+)\)", TEXT))
def test_each_example_that_is_named_is_there_and_short(name):
    lines = (EXAMPLES / name).read_text().splitlines()
    assert 10 < len(lines) < 60 and max(map(len, lines)) <= 130


@pytest.fixture(scope="module")
def shown():
    spec = importlib.util.spec_from_file_location("status_file", EXAMPLES / "status_file.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.shown


@pytest.mark.parametrize("change, wanted", [
    ({}, "POS Online"), ({"written_uptime": -3600}, "POS Offline"), ({"written_uptime": 3600}, "POS Offline"),
    ({"valid_for": None}, "POS Offline"), (None, "POS Offline")])
def test_a_line_is_believed_for_as_long_as_it_says(shown, tmp_path, change, wanted):
    line = {"display": "POS Online", "reason": None, "valid_for": 12.0}
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    if change is not None:
        line |= {**change, "written_uptime": now + change.get("written_uptime", 0)}
    (tmp_path / "status.json").write_text(json.dumps(line))
    assert shown(tmp_path / "status.json")[0] == wanted


def test_the_file_of_a_running_terminal_is_believed_and_a_missing_one_is_not(shown, tmp_path, supervisor, cloud):
    assert shown(tmp_path / "none.json") == ("POS Offline", "the terminal does not answer")
    file = tmp_path / "status.json"
    with Terminal(supervisor, {"cloud.primary": f"127.0.0.1:{cloud.primary}",
                               "local.status_file": str(file)}) as made:
        made.start()
        made.wait_online()
        until(lambda: shown(file) == ("POS Online", None), "the file says so")


def test_the_kiosk_is_a_program_that_supervisord_takes(tmp_path):
    recipe, = re.findall(r"```ini\n(.*?)```", TEXT, re.DOTALL)
    file = tmp_path / "supervisord.conf"
    file.write_text(f"[supervisord]\nlogfile={tmp_path}/log\npidfile={tmp_path}/pid\nnodaemon=true\n"
                    f"[unix_http_server]\nfile={tmp_path}/s.sock\n[rpcinterface:supervisor]\n"
                    "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
                    + re.sub("^command=.*", "command=/bin/sleep 60", recipe.replace("user=kiosk\n", ""), flags=re.M))
    process = subprocess.Popen([sys.executable, "-m", "supervisor.supervisord", "-n", "-c", file],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert any("spawned: 'display'" in line for line in process.stdout)
    finally:
        process.terminate()
        process.wait(2 * PATIENCE)    # a SIGTERM between fork and exec is lost; SIGKILL follows after 10 s


@pytest.fixture
def displayed(supervisor, cloud):
    """A running terminal with a display, and the display's port."""
    with reserve() as kept:
        number = kept.getsockname()[1]
        with Terminal(supervisor, {"cloud.primary": f"127.0.0.1:{cloud.primary}",
                                   "local.display": f"127.0.0.1:{number}"}) as made:
            made.start()
            made.wait_online()
            made.wait_log("display: ")
            yield made, number


def test_the_events_are_as_shown(displayed):
    _, number = displayed
    with socket.create_connection(("127.0.0.1", number), timeout=10) as client:
        client.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        with client.makefile("rb") as stream:
            line = next(line for line in stream if line.startswith(b"data: "))
    assert {"display", "online", "idle", "reason", "terminal_id"} <= set(json.loads(line[6:]))


def test_the_events_of_a_terminal_are_followed_through_a_cut_and_a_hang(displayed, cloud, start_python):
    terminal, number = displayed
    process = start_python(EXAMPLES / "events.py", "127.0.0.1", str(number))
    assert process.stdout.readline() == "POS Online\n"
    cloud.misbehave("rst", terminal=terminal.id)
    assert process.stdout.readline().startswith("POS Offline: reset by the cloud: Wait")
    while process.stdout.readline() != "POS Online\n":
        pass
    pid = terminal.agent_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        assert process.stdout.readline() == "POS Offline: the terminal does not answer\n"
    finally:
        os.kill(pid, signal.SIGCONT)
    while process.stdout.readline() != "POS Online\n":
        pass


def test_how_long_a_silence_is_as_the_agent_has_it():
    comment, = re.findall(r"a comment comes every (\d+) s", TEXT)
    silent, = re.findall(r"nothing comes for (\d+) s", TEXT)
    assert (float(comment), float(silent)) == (KEEPALIVE, VALID_FOR)
