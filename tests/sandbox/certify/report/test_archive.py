"""The archive: hashed, signed, and every way to tamper with it."""
import json
import zipfile

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from econduit_terminal.sandbox.certify.report import archive
from econduit_terminal.sandbox.certify.report.archive import Trust, pack, verify

FILES = {"result.json": b'{"version":1}', "report.html": b"<html>"}
KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def again(path, change):
    """The archive with its content changed: change(dict of name → bytes)."""
    with zipfile.ZipFile(path) as old:
        content = {name: old.read(name) for name in old.namelist()}
    change(content)
    with zipfile.ZipFile(path, "w") as new:
        for name, data in content.items():
            new.writestr(name, data)


@pytest.mark.parametrize("key, public, trust", [
    (KEY, KEY.public_key(), Trust.SIGNED), (KEY, None, Trust.UNKNOWN), (None, None, Trust.UNSIGNED),
    (KEY, OTHER.public_key(), Trust.OTHER), (None, KEY.public_key(), Trust.OTHER)])
def test_trust(tmp_path, key, public, trust):
    pack(FILES, tmp_path / "a.zip", key)
    judgement = verify(tmp_path / "a.zip", public)
    assert judgement.trust is trust and judgement.good is (trust is not Trust.OTHER)
    assert archive.result(tmp_path / "a.zip") == FILES["result.json"]


def resigned(content):
    manifest = json.loads(content["manifest.json"])
    manifest["sha256"]["more"] = "0" * 64
    content["manifest.json"] = json.dumps(manifest).encode()
    content["more"] = b""


def spoiled_signature(content):
    found = json.loads(content["signature.json"])
    found["signature"] = "A" * 86 + "=="
    content["signature.json"] = json.dumps(found).encode()


@pytest.mark.parametrize("change", [
    lambda content: content.update({"result.json": b"{}"}), lambda content: content.update({"more.txt": b"x"}),
    lambda content: content.pop("report.html"), lambda content: content.pop("manifest.json"), resigned,
    spoiled_signature,
    lambda content: content.update({"signature.json": b"{}"}),
    lambda content: content.update({"signature.json": b"\xff"}),
    lambda content: content.update({"manifest.json": b"[]"}),
    lambda content: content.update({"manifest.json": b'{"sha256":[]}'}),
    lambda content: content.update({"manifest.json": b'{"sha256":{}}'})], ids=range(11))
def test_tampering(tmp_path, change):
    pack(FILES, tmp_path / "a.zip", KEY)
    again(tmp_path / "a.zip", change)
    judgement = verify(tmp_path / "a.zip", KEY.public_key())
    assert judgement.trust is Trust.BROKEN and judgement.why and not judgement.good


def test_each_byte_counts(tmp_path):
    pack(FILES, tmp_path / "a.zip", KEY)
    whole = (tmp_path / "a.zip").read_bytes()
    for at in range(0, len(whole), 37):
        (tmp_path / "b.zip").write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1:])
        try:
            judgement = verify(tmp_path / "b.zip", KEY.public_key())
        except OSError:
            continue
        if judgement.good:   # a bit that no content depends on, such as a time stamp
            assert archive.result(tmp_path / "b.zip") == FILES["result.json"]


def test_what_is_no_archive(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no zip")
    assert verify(tmp_path / "a.zip", None).trust is Trust.BROKEN
    with pytest.raises(ValueError):
        archive.result(tmp_path / "a.zip")


def test_the_same_files_make_the_same_bytes(tmp_path):
    for name in ("a.zip", "b.zip"):
        pack(FILES, tmp_path / name, KEY)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_keys(tmp_path):
    pem = serialization.Encoding.PEM
    (tmp_path / "key").write_bytes(KEY.private_bytes(pem, serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption()))
    (tmp_path / "public").write_bytes(KEY.public_key().public_bytes(pem,
    serialization.PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "rsa").write_bytes(rsa.generate_private_key(65537, 2048).private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    assert archive.private_key(tmp_path / "key").sign(b"x") == KEY.sign(b"x")
    archive.public_key(tmp_path / "public").verify(KEY.sign(b"x"), b"x")
    for read, name in ((archive.private_key, "public"), (archive.private_key, "rsa"), (archive.public_key, "key")):
        with pytest.raises(ValueError):
            read(tmp_path / name)
