"""INI files → typed settings, or every mistake in them at once.

The order: the shipped files beside this module (they are the defaults), then `DIR/*.ini`, then `DIR/conf.d/*.ini`,
both in name order. The later value wins; a missing key keeps the earlier one. An empty value is an empty value, not a
missing one.

All files are read to the end before anything is said: whoever supports a terminal remotely gets one list, each line as
`file:line: section.key: what is wrong, accepted: what would be right`.
"""
import difflib
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from econduit_terminal.conf import ini
from econduit_terminal.conf.schema import SECTIONS, Settings, Terminal, conflicts

__all__ = ["DEFAULT_DIR", "Settings", "SettingsError", "Source", "Terminal", "default_dir", "load", "load_with_sources"]

DEFAULT_DIR = Path("/etc/econduit-terminal")
MAX_FILE = 1024 * 1024
MAX_VALUE = 4096
MAX_MISTAKES = 100
_SHIPPED = Path(__file__).parent
_SECTION_TYPES = Settings.__annotations__


class SettingsError(Exception):
    """Settings that cannot be used. `mistakes`: one line each, for the person who will correct them.

    `usable`: the settings without what is wrong in them, shipped values in its place; enough to say what is wrong
    where people look for it, never to work by. None where the mistake is not one of a file. `forbidden`: the first
    file or directory that this user may not read; a person who asks is told what to join (access.py).
    """

    def __init__(self, mistakes: Iterable[str], usable: Settings | None = None, forbidden: Path | None = None):
        self.mistakes = tuple(mistakes)
        self.usable = usable
        self.forbidden = forbidden
        super().__init__("\n".join(self.mistakes))

    def usable_in(self, directory: Path) -> Settings | None:
        """`usable` for who named `directory`; None where there is none: then the name is the mistake."""
        return self.usable if self.forbidden or directory.is_dir() else None


class Source(NamedTuple):
    """Where an effective value stands: its text there, the file and the line."""

    text: str
    file: Path
    line: int


def default_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """The settings directory of a command without `--config-dir`: `$ECONDUIT_CONFIG_DIR`, else DEFAULT_DIR."""
    return Path(environ.get("ECONDUIT_CONFIG_DIR") or DEFAULT_DIR)


def load(directory: Path | None = DEFAULT_DIR) -> Settings:
    """The settings of a directory, or the shipped defaults alone for None. Raises SettingsError."""
    return load_with_sources(directory)[0]


def load_with_sources(directory: Path | None = DEFAULT_DIR) -> tuple[Settings, dict[str, Source]]:
    """As `load`, and for every `section.key` where its effective value stands. Raises SettingsError."""
    mistakes = _Mistakes()
    sources: dict[tuple[str, str], Source] = {}
    for file in sorted(_SHIPPED.glob("*.ini")):
        _read(file, sources, mistakes)
    shipped = _parse(sources, mistakes)
    for file in _files(directory, mistakes):
        _read(file, sources, mistakes)
    parsed = _parse(sources, mistakes)

    def chosen(section: str, one: str, other: str) -> bool:
        """Whether somebody set these two together: in one file, or each to another value than the shipped one.

        The package's copy of a shipped value, in a file of its own in /etc, is nobody's choice.
        """
        return (sources[section, one].file == sources[section, other].file
                or all(parsed[section, key] != shipped[section, key] for key in (one, other)))

    for section, keys, what in [*conflicts(parsed, chosen), *_unreadable(parsed, mistakes)]:
        key = max(keys, key=lambda key: mistakes.place(sources[section, key]))  # the one that was set last
        mistakes.at(sources[section, key], section, key, what)
    settings = _settings({**shipped, **parsed})
    if mistakes.found:
        raise SettingsError(mistakes.lines(), settings, mistakes.forbidden)
    return settings, {f"{section}.{key}": sources[section, key] for section, keys in SECTIONS.items() for key in keys}


def _settings(values: Mapping[tuple[str, str], Any]) -> Settings:
    return Settings(**{section: _SECTION_TYPES[section](**{key: values[section, key] for key in keys})
                       for section, keys in SECTIONS.items()})


class _Mistakes:
    """Collects mistakes and puts them in the order a person meets them: by file as read, then by line."""

    def __init__(self) -> None:
        self.found: list[tuple[int, int, str]] = []
        self.forbidden: Path | None = None
        self._order: dict[Path, int] = {}

    def file(self, file: Path, what: str, line: int = 0) -> None:
        place = self._order.setdefault(file, len(self._order))
        self.found.append((place, line, f"{file}:{line}: {what}" if line else f"{file}: {what}"))

    def at(self, source: Source, section: str, key: str, what: str) -> None:
        self.file(source.file, f"{section}.{key}: {what}", source.line)

    def unreadable(self, path: Path, error: OSError, accepted: str) -> None:
        if isinstance(error, PermissionError):
            self.forbidden = self.forbidden or path
        self.file(path, f"cannot be read ({error.strerror}), accepted: {accepted}")

    def reading(self, file: Path) -> None:
        self._order.setdefault(file, len(self._order))

    def place(self, source: Source) -> tuple[int, int]:
        return self._order[source.file], source.line

    def lines(self) -> list[str]:
        lines = [text for _, _, text in sorted(self.found)]
        return lines[:MAX_MISTAKES] + [f"and {len(lines) - MAX_MISTAKES} more mistakes"] * (len(lines) > MAX_MISTAKES)


def _files(directory: Path | None, mistakes: _Mistakes) -> list[Path]:
    if directory is None:
        return []
    base = Path(directory)
    found = []
    for folder in (base, base / "conf.d"):
        try:
            # Hidden files are those that editors and file transfers have not finished yet.
            names = sorted(name for name in os.listdir(folder) if name.endswith(".ini") and not name.startswith("."))
        except FileNotFoundError as error:
            if folder.is_symlink():     # somebody's settings are elsewhere, as on a disk that is not mounted yet
                mistakes.unreadable(folder, error, "a link to a directory with settings (*.ini)")
                break
            if folder is not base:
                continue
            mistakes.file(folder, "there is no such directory, accepted: a directory with settings (*.ini)")
            break
        except OSError as error:
            mistakes.unreadable(folder, error, "a directory with settings (*.ini)")
            break
        found += [folder / name for name in names]
    return found


def _read(file: Path, sources: dict[tuple[str, str], Source], mistakes: _Mistakes) -> None:
    """Puts what the file says over what is in `sources`."""
    mistakes.reading(file)
    try:
        parsed = ini.parse(_bytes(file))
    except OSError as error:
        mistakes.unreadable(file, error, "a text file that the user of the program may read")
        return
    for line, what in parsed.mistakes:
        mistakes.file(file, what, line)
    for section, line in parsed.sections:
        if section not in SECTIONS:
            mistakes.file(file, f"[{section}] is not a section{_did_you_mean(section, SECTIONS, '[{}]')}, "
                                f"accepted: {', '.join(f'[{name}]' for name in SECTIONS)}", line)
    for entry in parsed.entries:
        source = Source(entry.value, file, entry.line)
        if entry.key in SECTIONS.get(entry.section, ()):
            sources[entry.section, entry.key] = source
        elif entry.section in SECTIONS:
            mistakes.at(source, entry.section, entry.key, _unknown(entry.section, entry.key))


def _bytes(file: Path) -> bytes:
    """The content of a plain file; a pipe or device in its place would keep the program waiting forever."""
    with open(file, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a plain file")
        if status.st_size > MAX_FILE:
            raise OSError(0, f"larger than {MAX_FILE} bytes")
        return stream.read(MAX_FILE)


def _parse(sources: dict[tuple[str, str], Source], mistakes: _Mistakes) -> dict[tuple[str, str], Any]:
    """The values that are valid alone. Only what wins is looked at: a later file may correct an earlier one."""
    parsed = {}
    for (section, key), source in sources.items():
        kind = SECTIONS[section][key]
        try:
            if len(source.text) > MAX_VALUE:
                raise ValueError(f"has {len(source.text)} characters, {MAX_VALUE} are the most")
            parsed[section, key] = kind.parse(source.text)
        except ValueError as error:
            what = str(error) if source.text else "is empty"
            if any(f" {sign}" in f" {source.text}" for sign in ";#"):
                what += " (a comment goes on a line of its own)"
            mistakes.at(source, section, key, f"{what}, accepted: {kind.accepts}")
    return parsed


def _unreadable(parsed: dict[tuple[str, str], Any], mistakes: _Mistakes) -> list[tuple[str, tuple[str, ...], str]]:
    """Files that settings name and that must be there from the start."""
    ca_file = parsed.get(("cloud", "ca_file"))
    if not parsed.get(("cloud", "tls")) or not ca_file:
        return []
    try:
        if b"-----BEGIN CERTIFICATE-----" in _bytes(Path(ca_file)):
            return []
        reason = "holds no certificate"
    except OSError as error:
        if isinstance(error, PermissionError):
            mistakes.forbidden = mistakes.forbidden or Path(ca_file)
        reason = f"cannot be read ({error.strerror})"
    return [("cloud", ("ca_file",), f"{ca_file!r} {reason}, accepted: a readable file with certificates in PEM form, "
                                    "or empty for those of the system")]


def _unknown(section: str, key: str) -> str:
    elsewhere = [name for name, keys in SECTIONS.items() if key in keys]
    if elsewhere:
        hint = f" here, but in {' and '.join(f'[{name}]' for name in elsewhere)}"
    else:
        hint = _did_you_mean(key, SECTIONS[section])
    return f"is not a key{hint}, accepted: {', '.join(SECTIONS[section])}"


def _did_you_mean(name: str, known: Iterable[str], form: str = "{}") -> str:
    close = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1, cutoff=0.6)
    return f" (did you mean {form.format(close[0])}?)" if close else ""
