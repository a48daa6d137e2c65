"""What the device says of itself, for the values of [terminal] that are left empty.

Three places are looked at, in this order; the first that has an answer wins:

1. `/run/econduit-terminal/device/{vendor,product,serial}`: copies that root makes at boot, because the serial number
   in DMI is for root alone;
2. DMI, `/sys/class/dmi/id`: PCs and most x86 terminals;
3. the device tree, `/proc/device-tree` or `/sys/firmware/devicetree/base`: ARM boards.

Makers leave fields unfilled. "To be filled by O.E.M." as a serial number would give a thousand terminals one name, so
what has the form of a placeholder counts as nothing (placeholder.py).
"""
import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

from econduit_terminal.conf.access import refusal
from econduit_terminal.conf.placeholder import is_placeholder, is_placeholder_name
from econduit_terminal.conf.schema import Terminal
from econduit_terminal.conf.settings import Settings, SettingsError, load
from econduit_terminal.conf.values import TEXT_MAX
from econduit_terminal.conf.version import VERSION

SOFTWARE_VERSION = f"econduit-terminal {VERSION}"

_COPIES = "run/econduit-terminal/device"
_DMI = "sys/class/dmi/id"
_TREES = ("proc/device-tree", "sys/firmware/devicetree/base")

# The key in [terminal], what it is for people, and its files in each place.
_FIELDS = (
    ("type", "vendor", "vendor", "sys_vendor", "compatible"),
    ("model", "product name", "product", "product_name", "model"),
    ("id", "serial number", "serial", "product_serial", "serial-number"),
)


def load_identified(directory: Path | None, root: Path = Path("/")) -> tuple[Settings, Terminal]:
    """The settings, and the terminal as they and the device name it. Raises SettingsError with the mistakes of both."""
    mistakes: list[str] = []
    forbidden = None
    try:
        settings = load(directory)
    except SettingsError as error:
        usable = error.usable if directory is None else error.usable_in(directory)
        if usable is None:
            raise
        settings, mistakes, forbidden = usable, list(error.mistakes), error.forbidden
    try:
        terminal = identify(settings.terminal, root)
    except SettingsError as error:
        # A key whose value is wrong counts as not set: that is one mistake and not two.
        mistakes += [mistake for mistake in error.mistakes
                     if not any(f" {mistake.partition(':')[0]}: " in known for known in mistakes)]
    if mistakes:
        raise SettingsError(mistakes, settings, forbidden)
    return settings, terminal


def identify(terminal: Terminal, root: Path = Path("/")) -> Terminal:
    """`terminal` with every empty value filled in from the device whose file system is at `root`.

    Raises SettingsError with one line for each value that the device does not have, naming the key to set.
    """
    found, mistakes = {}, []
    for key, what, *names in _FIELDS:
        if getattr(terminal, key):
            continue
        empty = is_placeholder if key == "id" else is_placeholder_name
        value, forbidden = _first(Path(root), empty, *names)
        if value:
            found[key] = value
            continue
        because = f"this device does not tell its {what}"
        if forbidden:
            shared = forbidden.is_relative_to(Path(root) / _COPIES)
            because = refusal(forbidden) if shared else f"{forbidden} is for root alone"
        mistakes.append(f"terminal.{key}: is empty and {because}, accepted: {key} = … under [terminal] in "
                        "terminal.ini or a file in conf.d/ of the settings directory")
    if mistakes:
        raise SettingsError(mistakes)
    return dataclasses.replace(terminal, software_version=terminal.software_version or SOFTWARE_VERSION, **found)


def _first(root: Path, empty: Callable[[str], bool], copy: str, dmi: str, tree: str) -> tuple[str, Path | None]:
    """The first value that is there and not `empty`, and the file that may not be read if it was one of those."""
    forbidden = None
    for place in (f"{_COPIES}/{copy}", f"{_DMI}/{dmi}", *(f"{folder}/{tree}" for folder in _TREES)):
        file = root / place
        try:
            text = _read(file)
        except PermissionError:
            forbidden = forbidden or file
            continue
        except OSError:
            continue
        if file.name == "compatible":  # "maker,board" and then more general ones
            text = text.partition(",")[0] if "," in text else ""
        if text and not empty(text):
            return text, None
    return "", forbidden


def _read(file: Path) -> str:
    """The first string of a file as one clean line; device-tree strings end in NUL. "" if it is not that."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        data = os.read(descriptor, 4096)
    finally:
        os.close(descriptor)
    text = data.split(b"\0")[0].decode(errors="replace").strip()
    return text if text.isprintable() and "\N{REPLACEMENT CHARACTER}" not in text and len(text) <= TEXT_MAX else ""
