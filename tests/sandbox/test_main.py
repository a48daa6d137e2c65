"""econduit-sandbox as a program: without a command it is the cloud."""
import json


def test_without_a_command_it_is_the_cloud(start_python):
    program = start_python("-m", "econduit_terminal.sandbox", "--primary-port", "0", "--secondary-port", "0",
                           "--http-port", "0")
    assert {"primary", "secondary", "http", "terminals", "pid"} == set(json.loads(program.stdout.readline()))
