"""econduit-agent: the process that keeps the terminal connected, and the commands to look after it."""
import sys

from econduit_terminal.process import signals

if "run" in sys.argv:
    signals.hold()      # now: the imports take their time

from types import ModuleType

from econduit_terminal.process.commands import call
from econduit_terminal.process.output import survive_any_locale

from .cli.commands import PROGRAM


def main(arguments: list[str] | None = None) -> int:
    survive_any_locale()
    options = PROGRAM.parse(arguments)
    if options.command != "run":
        signals.release()
    else:
        # Before anything else is imported: a module that holds the blocking originals would stop the whole process.
        # The other commands do without gevent and start at once; nothing above imports socket, threading or the like.
        _spare_gevent_its_plugins()
        from gevent import monkey
        monkey.patch_all()
    return call(options)


def _spare_gevent_its_plugins() -> None:
    """gevent asks every package that is installed, for each of its 25 steps, whether a plugin wants to know of the
    patching. We have none.

    gevent 22.10.2 loads pkg_resources for that (8 MB, 155 ms); the stand-in is removed before anything could need the
    real module. Later versions read the metadata of each package (about 1 ms a package).
    """
    stand_in = ModuleType("pkg_resources")
    vars(stand_in)["iter_entry_points"] = lambda group: ()
    spared = sys.modules.setdefault("pkg_resources", stand_in) is stand_in
    from gevent import events
    if spared:
        del sys.modules["pkg_resources"]
    vars(events).update(notify_and_call_entry_points=lambda event: None)


if __name__ == "__main__":
    sys.exit(main())
