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
        # Before anything else is imported: what got hold of the blocking originals would stop the whole process.
        # The other commands do without gevent and start at once; nothing above imports socket, threading or the like.
        _spare_gevent_its_plugins()
        from gevent import monkey
        monkey.patch_all()
    return call(options)


def _spare_gevent_its_plugins() -> None:
    """gevent 22.10.2 asks pkg_resources, 8 MB and 155 ms, whether somebody wants to hear that it patched. Nobody does.

    Later versions ask somebody else. The stand-in is gone before anyone could want the real one.
    """
    stand_in = ModuleType("pkg_resources")
    vars(stand_in)["iter_entry_points"] = lambda group: ()
    if sys.modules.setdefault("pkg_resources", stand_in) is stand_in:
        import gevent.events  # noqa: F401
        del sys.modules["pkg_resources"]


if __name__ == "__main__":
    sys.exit(main())
