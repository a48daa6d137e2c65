"""tls = yes, against a certificate authority of the test's own."""
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def openssl(folder, *arguments):
    subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A folder: ca.pem, other.pem (an authority that signed nothing here), cloud.pem and cloud.key for localhost."""
    folder = tmp_path_factory.mktemp("ca")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    for name in ("ca", "other"):
        openssl(folder, "req", "-x509", *key, "-subj", f"/CN=Test {name}", "-keyout", f"{name}.key",
                "-out", f"{name}.pem")
    openssl(folder, "req", "-x509", *key, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            "-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-keyout", "cloud.key", "-out", "cloud.pem")
    return folder


@pytest.fixture
def tls_cloud(start_cloud, authority):
    return start_cloud("--tls-cert", str(authority / "cloud.pem"), "--tls-key", str(authority / "cloud.key"))


def settings(cloud, ca_file, host="localhost"):
    return {"cloud.primary": f"{host}:{cloud.primary}", "cloud.secondary": "", "cloud.tls": "yes",
            "cloud.ca_file": ca_file}


def test_a_good_certificate(make_terminal, tls_cloud, authority):
    terminal = make_terminal(settings(tls_cloud, authority / "ca.pem") | {"heartbeat.interval": "200ms"})
    terminal.start()
    terminal.wait_online()
    assert tls_cloud.run_transaction(terminal.id)["ResultCode"] == "Approved"
    terminal.wait_status(lambda status: status["last_ack"])
    mark = terminal.mark()
    tls_cloud.misbehave("rst", terminal=terminal.id)
    lost = terminal.wait_offline("", mark)
    terminal.wait_online(lost["mark"])


@pytest.mark.parametrize("ca, host, says", [
    ("ca.pem", "127.0.0.1", "check the clock, cloud.ca_file and the host name"),
    ("other.pem", "localhost", "certificate not accepted"),
])
def test_another_name_or_an_authority_that_is_not_trusted(make_terminal, tls_cloud, authority, ca, host, says):
    terminal = make_terminal(settings(tls_cloud, authority / ca, host))
    terminal.start()
    shown = terminal.wait_offline(says)
    assert "certificate not accepted" in shown["reason"] and f"{host}:{tls_cloud.primary}" in shown["reason"]
    assert tls_cloud.events(kind="registered") == []    # nothing was said to a stranger
    terminal.reload(settings(tls_cloud, authority / "ca.pem"))
    terminal.wait_online()


def test_a_cloud_that_does_not_speak_tls(make_terminal, cloud, authority):
    cloud.misbehave("greet", text="hello\r\n")
    terminal = make_terminal(settings(cloud, authority / "ca.pem"))
    terminal.start()
    terminal.wait_offline("does not speak TLS as expected")
    terminal.wait_offline("check cloud.tls and the port")


def test_a_terminal_without_tls_at_a_cloud_with_it(make_terminal, tls_cloud, authority):
    terminal = make_terminal(settings(tls_cloud, "") | {"cloud.tls": "no"})
    terminal.start()
    terminal.wait_status(lambda status: status["phase"] == "waiting" or status["disconnects"])
    assert not terminal.status()["online"]
    terminal.reload(settings(tls_cloud, authority / "ca.pem"))
    terminal.wait_online()
