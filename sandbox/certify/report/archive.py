"""archive.zip: every report of a run, hashed, and signed where a key is given.

    manifest.json    the SHA-256 of each other file
    signature.json   Ed25519 over manifest.json's bytes, and the public key (only with a key)

A signature by a key that came in the archive itself proves that nothing was changed since, not who signed: for that,
the public key must be had another way.
"""
import base64
import binascii
import hashlib
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MANIFEST, SIGNATURE = "manifest.json", "signature.json"
MAX_FILE, MAX_FILES = 512 << 20, 20
UNREADABLE = (zipfile.BadZipFile, zlib.error, struct.error, KeyError, NotImplementedError, RuntimeError, EOFError)
"""What zipfile raises for a file that is no archive, or a broken one (RecursionError is a RuntimeError)."""
EPOCH = (1980, 1, 1, 0, 0, 0)


class Trust(Enum):
    """What an archive is worth; the value is the sentence."""

    SIGNED = "intact, signed by this key"
    UNKNOWN = "intact, signer unknown"
    UNSIGNED = "intact, not signed"
    OTHER = "not signed by this key"
    BROKEN = "not intact"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of an archive: how far it may be trusted, and why not."""

    trust: Trust
    why: str = ""

    @property
    def good(self) -> bool:
        """Whether `verify` exits with 0."""
        return self.trust in (Trust.SIGNED, Trust.UNKNOWN, Trust.UNSIGNED)


def private_key(path: Path) -> Ed25519PrivateKey:
    """Reads a PEM file. Raises OSError, ValueError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{path}: no private key in PEM without a password ({error})") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path}: no Ed25519 key; make one with: openssl genpkey -algorithm ed25519 -out {path}")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """Reads a PEM file. Raises OSError, ValueError."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{path}: no public key in PEM ({error}); openssl pkey -in KEY -pubout makes it") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"{path}: no Ed25519 key")
    return key


def pack(files: dict[str, bytes], target: Path, key: Ed25519PrivateKey | None) -> None:
    """Writes the archive; the same files make the same bytes. Raises OSError."""
    manifest = json.dumps({"version": 1, "sha256": {name: hashlib.sha256(data).hexdigest() for name,
                                                    data in sorted(files.items())}},
                          indent=1).encode() + b"\n"
    content = {**files, MANIFEST: manifest}
    if key is not None:
        public = key.public_key().public_bytes(serialization.Encoding.PEM,
                                               serialization.PublicFormat.SubjectPublicKeyInfo)
        content[SIGNATURE] = json.dumps({"algorithm": "Ed25519", "over": MANIFEST, "public": public.decode(),
                                         "signature": base64.b64encode(key.sign(manifest)).decode()},
                                        indent=1).encode() + b"\n"
    part = target.with_name(target.name + ".new")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(content.items()):
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    part.replace(target)


def verify(path: Path, trusted: Ed25519PublicKey | None) -> Judgement:
    """Judges an archive. Raises OSError when it cannot be read at all."""
    try:
        content = _content(path)
        manifest = json.loads(content[MANIFEST])["sha256"]
        if not isinstance(manifest, dict):
            raise ValueError("the manifest lists no files")
    except (*UNREADABLE, ValueError, TypeError) as error:
        return Judgement(Trust.BROKEN, f"{error}" if str(error) else type(error).__name__)
    listed, there = set(manifest), set(content) - {MANIFEST, SIGNATURE}
    if listed != there:
        odd = sorted(listed ^ there)[0]
        return Judgement(Trust.BROKEN, f"{odd} is {'missing' if odd in listed else 'not in the manifest'}")
    for name in sorted(listed):
        if hashlib.sha256(content[name]).hexdigest() != manifest[name]:
            return Judgement(Trust.BROKEN, f"{name} was changed")
    if "result.json" not in listed:
        return Judgement(Trust.BROKEN, "there is no result.json in it")
    return _signed(content, trusted)


def differing(path: Path, beside: Path) -> str:
    """The first file in the directory `beside` that differs from the one in the archive, or "". Raises OSError.

    A person opens the page in the directory, not the one in the archive."""
    for name, data in sorted(_content(path).items()):
        if (beside / name).is_file() and (beside / name).read_bytes() != data:
            return name
    return ""


def result(path: Path) -> bytes:
    """result.json out of an archive. Raises OSError, ValueError."""
    try:
        return _content(path)["result.json"]
    except UNREADABLE as error:
        raise ValueError(f"{path}: no archive of econduit-certify ({error})") from None


def _signed(content: dict[str, bytes], trusted: Ed25519PublicKey | None) -> Judgement:
    if SIGNATURE not in content:
        return Judgement(Trust.OTHER, "it is not signed at all") if trusted else Judgement(Trust.UNSIGNED)
    try:
        found = json.loads(content[SIGNATURE])
        signature = base64.b64decode(found["signature"], validate=True)
        own = serialization.load_pem_public_key(found["public"].encode())
        if not isinstance(own, Ed25519PublicKey):
            raise ValueError("no Ed25519 key")
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, UnsupportedAlgorithm,
            RecursionError) as error:
        return Judgement(Trust.BROKEN, f"the signature cannot be read ({error})")
    for key, otherwise in ((own, Judgement(Trust.BROKEN, "the signature does not fit the manifest")),
                           (trusted, Judgement(Trust.OTHER, "another key signed it"))):
        if key is not None:
            try:
                key.verify(signature, content[MANIFEST])
            except InvalidSignature:
                return otherwise
    return Judgement(Trust.SIGNED if trusted else Trust.UNKNOWN)


def _content(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        names = [info.filename for info in infos]
        if len(infos) > MAX_FILES or len(set(names)) != len(names):
            raise ValueError("too many files, or one of them twice")
        if any(info.file_size > MAX_FILE for info in infos):
            raise ValueError("a file is too large")
        return {info.filename: archive.read(info) for info in infos}
