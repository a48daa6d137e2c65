"""A host, as far as it needs no network: which commands it becomes (its networks: tests/lab/test_netlab.py)."""
from types import SimpleNamespace

from econduit_terminal.sandbox.lab.host import Host, NameServer


def test_a_command_runs_in_the_namespace_with_the_laboratory_s_name_server(ground):
    command = Host(ground, "terminal").command("ping", 7)
    assert command[:7] == ["nsenter", "-t", "7", "ip", "netns", "exec", "ect1-0-terminal"]
    assert command[-3:] == ["/lab/resolv.conf", "ping", "7"]


def test_ip_commands_are_given_in_one_go(ground):
    Host(ground, "cloud").ip("link set lo up", "addr add 9.9.9.9/32 dev lo")
    assert ground.ran == [(("ip", "-n", "ect1-0-cloud", "-batch", "-"), "link set lo up\naddr add 9.9.9.9/32 dev lo")]


def test_the_answers_of_a_name_server_change_at_once(tmp_path):
    started = []
    process = SimpleNamespace(line=lambda part: (0.0, part), end=lambda: 0)
    host = SimpleNamespace(python=lambda *arguments: started.append(arguments) or process)
    server = NameServer(host, "9.9.9.9", tmp_path / "names")
    (program, *arguments), = started
    assert program.name == "lab_dns.py" and program.is_file() and arguments == ["9.9.9.9", tmp_path / "names"]
    server.set({"cloud.test": "203.0.113.10", "*": "NXDOMAIN"})
    assert (tmp_path / "names").read_text() == "cloud.test 203.0.113.10\n* NXDOMAIN\n"
    assert [file.name for file in tmp_path.iterdir()] == ["names"]
