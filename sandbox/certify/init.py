"""`econduit-certify init`: writes a device.toml, after some questions where somebody can answer them."""
import argparse
import sys
from pathlib import Path

from econduit_terminal.sandbox.certify.device import KEYS, Kind, parse, template
from econduit_terminal.sandbox.certify.options import Wrong
from econduit_terminal.sandbox.certify.plain_words import why

QUESTIONS = ("device.terminal_type", "device.terminal_id", "device.format", "device.secondary", "device.wifi",
             "device.heartbeat", "device.ack", "device.transaction", "display.url", "application.echo")


def main(options: argparse.Namespace) -> int:
    """The command; returns the exit status. Raises Wrong."""
    path = Path(options.file)
    if path.exists() and not options.force:
        raise Wrong(f"{path} is there already; --force replaces it")
    answers = {} if options.defaults or not sys.stdin.isatty() else ask()
    try:
        path.write_text(template(answers))
    except OSError as error:
        raise Wrong(f"{path}: {why(error)}") from None
    print(f"{path} is written; econduit-certify terminal --device {path} examines the device")
    return 0


def ask() -> dict[str, str]:
    """"table.key" → TOML value, for every question that was answered."""
    print("Enter alone keeps what is in brackets.")
    answers: dict[str, str] = {}
    for place in QUESTIONS:
        table, _, name = place.partition(".")
        key = next(key for key in KEYS[table] if key.name == name)
        default = key.default if isinstance(key.default, str) else "true" if key.default else "false"
        while True:
            try:
                given = input(f"{key.comment}\n  {name} [{default}] ").strip()
            except EOFError:
                return answers
            if not given:
                break
            value = given if key.kind is Kind.FLAG else '"' + given.replace("\\", "\\\\").replace('"', '\\"') + '"'
            _, mistakes = parse(f"[{table}]\n{name} = {value}\n")
            if not mistakes:
                answers[place] = value
                break
            print(f"  {mistakes[0].text}")
    return answers
