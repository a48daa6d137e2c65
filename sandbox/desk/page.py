"""The desk's page: one file, whose forms are made from the tables of calls and controls."""
import json
from pathlib import Path
from string import Template
from typing import Any

from econduit_terminal.process.browsers import content_policy
from econduit_terminal.sandbox.cloud import calls, faults

_SOURCE = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
FIRST = ("amount", "refID")
"""Fields of calls that a first try needs, beside the required ones."""
FOLDED = (*faults.SCOPE, "times", "part")
"""Parameters of controls that it does not need: to whom, how often."""
HEADERS = [content_policy(_SOURCE)]


def tables() -> dict[str, Any]:
    """The forms: for each call and each control its parameters with what they mean, their choices and examples.

    `first`: what a first try needs; the page folds the others away.
    """
    return {
        "calls": {name: {"about": call.about, "fields": [_of_call(key, field) for key, field in call.fields.items()]}
                  for name, call in calls.CALLS.items()},
        "controls": {name: {"about": control.help, "stays": control.stays, "fields": [
            _of_control(key, parameter) for key, parameter in faults.parameters_of(control).items()]}
            for name, control in faults.CONTROLS.items()},
    }


def _of_call(name: str, field: calls.Field) -> dict[str, Any]:
    needed = field.required and not field.blank
    return {"name": name, "about": field.about, "required": needed, "first": needed or name in FIRST,
            "choices": list(field.choices), "example": field.example}


def _of_control(name: str, parameter: faults.Parameter) -> dict[str, Any]:
    return {"name": name, "about": parameter.help, "required": parameter.default is faults.REQUIRED,
            "first": name not in FOLDED, "choices": list(parameter.choices), "example": ""}


def render(ports: dict[str, int]) -> bytes:
    """The whole page, UTF-8. `ports`: where terminals dial, by name."""
    # No text of a table may end the element that holds it.
    data = json.dumps({**tables(), "ports": ports}).replace("<", "\\u003c")
    return Template(_SOURCE).substitute(tables=data).encode()
