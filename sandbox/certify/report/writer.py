"""Every report of a run, in a directory."""
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from econduit_terminal.sandbox.certify.report import archive
from econduit_terminal.sandbox.certify.report.html import html
from econduit_terminal.sandbox.certify.report.junit import junit
from econduit_terminal.sandbox.certify.report.result import Record, readable

RESULT, PAGE, JUNIT, ARCHIVE = "result.json", "report.html", "junit.xml", "archive.zip"


def write(found: Record, out: Path, key: Ed25519PrivateKey | None) -> None:
    """result.json, report.html, junit.xml and archive.zip, each replaced as a whole. Raises OSError."""
    files = {RESULT: (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass"),
             PAGE: html(found).encode("utf-8", "replace"), JUNIT: junit(found).encode("utf-8", "replace")}
    out.mkdir(parents=True, exist_ok=True)
    for name in (RESULT, PAGE, JUNIT):
        part = out / f"{name}.new"
        part.write_bytes(files[name])
        part.replace(out / name)
    archive.pack(files, out / ARCHIVE, key)


def load(path: Path) -> Record:
    """The record in a directory, an archive or a result.json. Raises OSError, ValueError."""
    if path.is_dir():
        path = path / RESULT
    data = archive.result(path) if path.suffix == ".zip" else path.read_bytes()
    try:
        return readable(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from None
