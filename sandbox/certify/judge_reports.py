"""`econduit-certify verify` and `compare`."""
import argparse
from pathlib import Path

from econduit_terminal.sandbox.certify.options import Wrong
from econduit_terminal.sandbox.certify.plain_words import why
from econduit_terminal.sandbox.certify.report import archive, writer
from econduit_terminal.sandbox.certify.report.compare import compare
from econduit_terminal.sandbox.certify.wire_log import told


def main(options: argparse.Namespace) -> int:
    """The command; returns the exit status. Raises Wrong."""
    try:
        return _verify(options) if options.command == "verify" else _compare(options)
    except OSError as error:
        raise Wrong(f"{error.filename}: {why(error)}") from None
    except ValueError as error:
        raise Wrong(str(error)) from None


def _verify(options: argparse.Namespace) -> int:
    given = Path(options.archive)
    path = given / writer.ARCHIVE if given.is_dir() else given
    judgement = archive.verify(path, archive.public_key(Path(options.public)) if options.public else None)
    if judgement.good and given.is_dir() and (odd := archive.differing(path, given)):
        judgement = archive.Judgement(archive.Trust.BROKEN, f"{given / odd} is not the one in the archive")
    print(f"{path}: {judgement.trust.value}" + (f": {judgement.why}" if judgement.why else ""))
    if judgement.good:
        found = writer.load(path)
        words = [f"{found.get('role')}", f"{len(found['cases'])} cases", f"profile {found.get('profile')}",
                 f"{found.get('began')}" + (f" ({found['note']})" if found.get("note") else "")]
        print(told(f"{found.get('verdict')}: {', '.join(words)}"))
    return 0 if judgement.good else 1


def _compare(options: argparse.Namespace) -> int:
    first, second = writer.load(Path(options.first)), writer.load(Path(options.second))
    changes = compare(first, second)
    for change in changes:
        seen = f": {change.seen}" if change.seen else ""
        print(f"{'worse ' if change.worse else '      '}{change.case:<6}{change.before} → {change.after}  "
              f"{told(f'{change.title}{seen}')}")
    print(f"{first.get('verdict')} → {second.get('verdict')}, {len(changes)} of {len(second['cases'])} cases changed")
    return 1 if any(change.worse for change in changes) else 0
