"""The command econduit-fleet advise: a file for conf.d, with the reasons and the figures in its comments."""
from argparse import Namespace

from rich.console import Console

from econduit_terminal.conf import settings
from econduit_terminal.conf.values import show_duration
from econduit_terminal.conf.version import VERSION
from econduit_terminal.sandbox.fleet import feasible
from econduit_terminal.sandbox.fleet.advice import SCENES, Advice, advise, runs, tries
from econduit_terminal.sandbox.fleet.bar import bar
from econduit_terminal.sandbox.fleet.figures import Figures
from econduit_terminal.sandbox.fleet.options import WRONG
from econduit_terminal.sandbox.fleet.quantities import show_count, show_seconds
from econduit_terminal.sandbox.fleet.scenes import Cloud


def main(options: Namespace) -> int:
    """Returns the exit status."""
    cloud = Cloud(options.budget, options.queue, options.backlog, options.notices)
    asked = runs(options.terminals, cloud)
    if not feasible.playable(asked) or (options.save and not feasible.writable(options.save)):
        return WRONG
    with bar(Console(stderr=True), "as shipped", tries(), "{task.completed:.0f} settings tried") as told:
        found = advise(settings.load(None), options.terminals, cloud, lambda text: told.next(text))
    text = file(found, options.terminals, cloud)
    if options.save:
        return 0 if feasible.write(options.save, text) else WRONG
    print(text, end="")
    return 0


def file(found: Advice, terminals: int, cloud: Cloud) -> str:
    """The file's text; a comment alone where nothing is better than what is shipped."""
    fleet = f"{show_count(terminals)} terminals and a cloud that registers {show_count(cloud.budget)} of them a second"
    lines = [f"# For {fleet}",
             f"# (queue {show_count(cloud.queue)}, backlog {show_count(cloud.backlog)}); econduit-fleet {VERSION}.",
             "#",
             f"# The cloud itself needs {show_seconds(terminals / cloud.budget)}. 99 % are back, in the model:", "#",
             *(f"#     {line}" for line in _figures(found)), "#"]
    if not found.chosen:
        return "\n".join([*lines, "# Nothing was found that is better than the shipped settings."]) + "\n"
    lines.append("# Put this file into conf.d of the terminals' settings, by the terminal management system or by hand")
    section = None
    for choice, value in found.chosen:
        if choice.section != section:
            section = choice.section
            lines += ["", f"[{section}]"]
        lines += ["", *(f"# {line}" for line in choice.why.splitlines()), f"{choice.key} = {show_duration(value)}"]
    return "\n".join(lines) + "\n"


def _figures(found: Advice) -> list[str]:
    rows = [("", "as shipped", "with this file")]
    for number, (name, outage) in enumerate(SCENES):
        what = f"{name}, {show_seconds(outage)}" if outage else name
        rows.append((what, _nearly_all(found.shipped, number), _nearly_all(found.advised, number)))
    return [f"{what:<16}{shipped:>12}{advised:>16}" for what, shipped, advised in rows]


def _nearly_all(figures: tuple[Figures, ...], number: int) -> str:
    return show_seconds(figures[number].nearly_all)
