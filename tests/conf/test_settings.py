import dataclasses
import os
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st

from econduit_terminal.conf import settings
from econduit_terminal.conf.schema import SECTIONS
from econduit_terminal.conf.values import Endpoint


def test_without_a_directory_the_shipped_defaults():
    shipped = settings.load(None)
    assert shipped.cloud.primary == Endpoint("dc.econduitapp.com", 80)
    assert shipped.cloud.secondary == Endpoint("econduitapp.com", 9001)
    assert shipped.cloud.tls is False and shipped.cloud.ca_file is None
    assert shipped.terminal.id == ""
    assert shipped.reconnect.secondary_after == 0.5
    assert shipped.transactions.max_message == 1024 * 1024
    assert shipped.transactions.application.endpoint == Endpoint("127.0.0.1", 9100)
    assert shipped.watchdog.reference_hosts == ()
    assert shipped.warnings() == ()


def test_an_empty_directory_is_the_defaults(tmp_path):
    assert settings.load(tmp_path) == settings.load(None)
    assert settings.load(str(tmp_path)) == settings.load(None)


def test_settings_cannot_be_changed_by_accident():
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.load(None).heartbeat.interval = 1


def test_later_files_win_key_by_key(write, tmp_path):
    write("b.ini", "[heartbeat]\ninterval = 2s\nack_timeout = 2s\n[cloud]\nsecondary =\n")
    write("a.ini", "[heartbeat]\ninterval = 1s\n[registration]\ntimeout = 1s\n")
    write("conf.d/20.ini", "[heartbeat]\ninterval = 20s\n")
    last = write("conf.d/3.ini", "\n[heartbeat]\ninterval = 3s\n")
    loaded, sources = settings.load_with_sources(tmp_path)
    assert loaded.heartbeat == settings.load(None).heartbeat.__class__(interval=3, ack_timeout=2)
    assert loaded.registration.timeout == 1
    assert loaded.cloud.secondary is None
    assert sources["heartbeat.interval"] == settings.Source("3s", last, 3)
    assert sources["heartbeat.ack_timeout"].file == tmp_path / "b.ini"
    assert sources["cloud.primary"].file == Path(settings.__file__).parent / "terminal.ini"
    assert set(sources) == {f"{section.name}.{key.name}" for section in dataclasses.fields(loaded)
                            for key in dataclasses.fields(section.type)}


@pytest.mark.parametrize("name", [
    "terminal.ini.dpkg-new", ".hidden.ini", "terminal.ini~", "conf.d/deeper/x.ini", "x.INI"])
def test_files_that_are_not_settings_are_left_alone(write, tmp_path, name):
    write(name, "nonsense")
    assert settings.load(tmp_path) == settings.load(None)


def test_a_percent_sign_is_a_percent_sign(write, tmp_path):
    write("a.ini", "[terminal]\nmodel = 100% %(id)s %%\n")
    assert settings.load(tmp_path).terminal.model == "100% %(id)s %%"


def test_every_mistake_at_once_in_the_order_of_files_and_lines(write, mistakes):
    write("a.ini", """[cloud]
primry = a:1
primary = a:99999
[heartbeats]
interval = 1s
[reconnect]
interval = 1s
connect_timeout =
 user_timeout = 3s
keepalive_count = 5 ; five
[transactions]
queue = 1_000
""")
    write("conf.d/a.ini", "[cloud]\ntls = maybe\n")
    found = mistakes()
    assert [line.split(" ")[0] for line in found] == [
        "a.ini:2:", "a.ini:3:", "a.ini:4:", "a.ini:7:", "a.ini:8:", "a.ini:9:", "a.ini:10:", "a.ini:12:",
        "conf.d/a.ini:2:"]
    assert found[0] == ("a.ini:2: cloud.primry: is not a key (did you mean primary?), "
                        "accepted: primary, secondary, tls, ca_file")
    assert found[1].startswith("a.ini:3: cloud.primary: '99999' is not a port")
    assert "[heartbeats] is not a section (did you mean [heartbeat]?)" in found[2]
    assert "reconnect.interval: is not a key here, but in [heartbeat]" in found[3]
    assert found[4] == ("a.ini:8: reconnect.connect_timeout: is empty, "
                        "accepted: a duration from 50ms to 2min (units ms, s, min, h, d)")
    assert "indented" in found[5]
    assert "a comment goes on a line of its own" in found[6]
    assert found[8] == "conf.d/a.ini:2: cloud.tls: 'maybe' is neither, accepted: yes or no"
    assert all("accepted: " in line for line in found)


def test_names_are_as_documented_and_close_ones_are_suggested(write, mistakes):
    write("a.ini", "[Cloud]\n[local]\nLog-Level = debug\nfrobnicate = 1\n")
    found = mistakes()
    assert "did you mean [cloud]?" in found[0]
    assert "did you mean log_level?" in found[1]
    assert "did you mean" not in found[2]


def test_a_later_file_corrects_an_earlier_one(write, tmp_path):
    write("a.ini", "[heartbeat]\ninterval = soon\n")
    write("conf.d/a.ini", "[heartbeat]\ninterval = 5s\n")
    assert settings.load(tmp_path).heartbeat.interval == 5


@pytest.mark.parametrize("text, where, why", [
    ("[reconnect]\nmax_delay = 100ms\nbase_delay = 200ms", "a.ini:3: reconnect.base_delay",
     "more than max_delay (100ms)"),
    ("[reconnect]\nbase_delay = 20s\nmax_delay = 10s", "a.ini:3: reconnect.max_delay", "base_delay (20s) is more than"),
    ("[reconnect]\nfirst_retry = 31s\nmax_delay = 30s", "a.ini:3: reconnect.max_delay",
     "first_retry (31s) is more than"),
    ("[transactions]\nkeep = 1min", "a.ini:2: transactions.keep", "late_answer (10min) is more than keep (1min)"),
    ("[cloud]\nprimary = econduitapp.com:9001", "a.ini:2: cloud.primary", "primary and secondary are both"),
    ("[cloud]\nsecondary = dc.econduitapp.com:80", "a.ini:2: cloud.secondary", "primary and secondary are both"),
    ("[local]\nsocket = /x\nstatus_file = /x", "a.ini:3: local.status_file", "socket and status_file are both"),
    ("[cloud]\ntls = yes\nca_file = /nowhere.pem", "a.ini:3: cloud.ca_file", "No such file"),
    ("[cloud]\ntls = yes\nca_file = /dev/null", "a.ini:3: cloud.ca_file", "not a plain file"),
    ("[cloud]\ntls = yes\nca_file = /etc/passwd", "a.ini:3: cloud.ca_file", "holds no certificate"),
])
def test_values_that_do_not_go_together_are_said_where_they_were_set(write, mistakes, text, where, why):
    write("a.ini", text)
    line, = mistakes()
    assert line.startswith(f"{where}: ")
    assert why in line and "accepted: " in line


OLD_DEFAULTS_RELIED_ON = [
    "[reconnect]\nbase_delay = 20s\n",                      # of at most 30 s, max_delay of 1.0.0
    "[reconnect]\nfirst_retry = 15s\n",
    "[reconnect]\nbase_delay = 30s\nfirst_retry = 30s\n",
    "[reconnect]\nbase_delay = 15s\n[transactions]\nqueue = 1\nframe_gap = 250ms\n[watchdog]\nhealth_interval = 5s\n",
    "[reconnect]\nmax_delay = 400ms\n",                     # below base_delay as it is shipped
]


@pytest.mark.parametrize("text", OLD_DEFAULTS_RELIED_ON)
@pytest.mark.parametrize("copied", [False, True])
def test_a_file_that_relied_on_a_default_of_an_older_version_is_accepted(write, tmp_path, text, copied):
    """copied: the package's own files stand in /etc, as its conffiles."""
    if copied:
        for shipped in Path(settings.__file__).parent.glob("*.ini"):
            write(shipped.name, shipped.read_bytes())
    write("conf.d/50-tms.ini", text)
    loaded = settings.load(tmp_path)
    assert all(warning.startswith("reconnect.") and "counts instead of it" in warning for warning in loaded.warnings())
    assert loaded.warnings()


@pytest.mark.parametrize("first, second", [
    ("base_delay = 3s", "max_delay = 2s"), ("max_delay = 2s", "base_delay = 3s"),
    ("first_retry = 3s", "max_delay = 2s")])
def test_two_files_that_both_choose_are_held_to_the_rule(write, mistakes, first, second):
    write("conf.d/10.ini", f"[reconnect]\n{first}\n")
    write("conf.d/20.ini", f"[reconnect]\n{second}\n")
    line, = mistakes()
    assert line.startswith(f"conf.d/20.ini:2: reconnect.{second.split()[0]}: ")
    assert "(3s) is more than max_delay (2s)" in line


def test_a_rule_between_keys_is_passed_over_while_one_of_them_is_wrong(write, mistakes):
    write("a.ini", "[reconnect]\nmax_delay = 10ms\nbase_delay = x\nfirst_retry = y\n")
    assert len(mistakes()) == 2


def test_certificates_that_can_be_read_are_fine(write, tmp_path):
    ca_file = write("ca.pem", "-----BEGIN CERTIFICATE-----\n")
    write("a.ini", f"[cloud]\ntls = yes\nca_file = {ca_file}\n")
    assert settings.load(tmp_path).cloud.ca_file == str(ca_file)


def test_a_directory_that_is_not_there(tmp_path):
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(tmp_path / "nowhere")
    assert caught.value.mistakes == (
        f"{tmp_path}/nowhere: there is no such directory, accepted: a directory with settings (*.ini)",)


def test_a_directory_that_is_none(write, tmp_path):
    with pytest.raises(settings.SettingsError, match="Not a directory"):
        settings.load(write("a.ini", ""))
    write("conf.d", "")
    with pytest.raises(settings.SettingsError, match="conf.d: cannot be read .Not a directory"):
        settings.load(tmp_path)


@pytest.mark.parametrize("name", ["", "conf.d"])
def test_a_directory_on_a_disk_that_is_not_mounted_yet(tmp_path, name):
    """Shipped values would stand in for those on it: another TerminalID, another cloud."""
    folder, disk = tmp_path / "settings", tmp_path / "disk"
    if name:
        folder.mkdir()
    (folder / name).symlink_to(disk)
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(folder)
    assert caught.value.mistakes == (f"{folder / name}: cannot be read (No such file or directory), "
                                     "accepted: a link to a directory with settings (*.ini)",)
    disk.mkdir()
    assert settings.load(folder) == settings.load(None)


@pytest.mark.parametrize("make, why", [
    (lambda file: file.mkdir(), "Is a directory"),
    (lambda file: os.mkfifo(file), "not a plain file"),
    (lambda file: file.symlink_to("/nowhere/x.ini"), "No such file"),
    (lambda file: file.symlink_to(file.name), "symbolic links"),
    (lambda file: file.write_bytes(b"#" * (settings.MAX_FILE + 1)), "larger than"),
])
def test_what_cannot_be_read_is_said_and_never_waited_for(tmp_path, mistakes, make, why):
    make(tmp_path / "a.ini")
    opened = os.listdir("/proc/self/fd")
    line, = mistakes()
    assert line.startswith("a.ini: cannot be read (") and why in line and "accepted: " in line
    assert len(os.listdir("/proc/self/fd")) == len(opened)


def test_a_socket_in_the_place_of_a_file(tmp_path, mistakes, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("a.ini")
        line, = mistakes()
    assert line.startswith("a.ini: cannot be read (")


def test_a_file_that_belongs_to_somebody_else(write, tmp_path, monkeypatch):
    file = write("a.ini", "")
    file.chmod(0)
    really = os.open

    def as_ordinary_user(path, *arguments):
        if Path(path) == file:
            raise PermissionError(13, "Permission denied")
        return really(path, *arguments)

    monkeypatch.setattr(os, "open", as_ordinary_user)  # root may read it all the same
    with pytest.raises(settings.SettingsError,
                       match="a.ini: cannot be read .Permission denied.*the user of the program"):
        settings.load(tmp_path)


def test_lists_of_mistakes_and_values_have_an_end(write, mistakes):
    write("a.ini", "[cloud]\n" + "".join(f"key{n} = 1\n" for n in range(1000)))
    write("b.ini", f"[heartbeat]\ninterval = {'9' * 100_000}\n")
    found = mistakes()
    assert len(found) == settings.MAX_MISTAKES + 1
    assert found[-1] == "and 901 more mistakes"
    assert all(len(line) < 500 for line in found)


def test_what_changed():
    shipped = settings.load(None)
    other = dataclasses.replace(shipped, heartbeat=dataclasses.replace(shipped.heartbeat, interval=1.0),
                                cloud=dataclasses.replace(shipped.cloud, secondary=None))
    assert shipped.changes(other) == ["cloud.secondary", "heartbeat.interval"]
    assert shipped.changes(settings.load(None)) == []


@pytest.mark.parametrize("text, why", [
    ("[transactions]\nduplicates = run", "transactions.duplicates: "),
    ("[transactions]\ndrain = 10s", "transactions.drain: "),
    ("[cloud]\nca_file = /etc/ca.pem", "cloud.ca_file: "),
    ("[reconnect]\nbase_delay = 20s",
     "reconnect.base_delay: 20s is more than max_delay (10s), and counts instead of it"),
    ("[reconnect]\nfirst_retry = 20s", "reconnect.first_retry: "),
    ("[local]\nsocket = /run/agent.sock ; the default", "local.socket: holds a comment"),
    ("[local]\nstatus_file = /run/status.json # for the POS", "local.status_file: holds a comment"),
    ("[local]\nstate_dir = /data # disk", "local.state_dir: holds a comment"),
    ("[transactions]\napplication = unix:///run/pay.sock ; ours", "transactions.application: holds a comment"),
    ("[transactions]\napplication = exec:/opt/pay -v # verbose", "transactions.application: holds a comment"),
    ("[watchdog]\ninterfaces = eth0 # the cable", "watchdog.interfaces: holds a comment"),
    ("[watchdog]\ninterfaces = ; all", "watchdog.interfaces: holds a comment"),
    ("[terminal]\nid = ; the serial number", "terminal.id: holds a comment"),
])
def test_what_works_but_is_seldom_meant(write, tmp_path, text, why):
    write("a.ini", text)
    warning, = settings.load(tmp_path).warnings()
    assert warning.startswith(why)


@pytest.mark.parametrize("text", [
    "[local]\nstate_dir = /data/#1;2", "[transactions]\napplication = exec:/bin/sh -c 'pay ; log # it'",
    "[transactions]\nfailure_answer = {reason} ; # {RefID}"])
def test_what_only_looks_like_a_comment(write, tmp_path, text):
    write("a.ini", text)
    assert settings.load(tmp_path).warnings() == ()


SET = {"type": "Maker", "model": "One", "id": "29531204", "software_version": "v1", "ca_file": "/etc/ca.pem",
       "ref_id_field": "1", "interfaces": "eth0", "reference_hosts": "192.0.2.1:443"}
"""A value for each key that is shipped empty."""


@pytest.mark.parametrize("comment", ["; why", "# why"])
@pytest.mark.parametrize("section, key", [(section, key) for section, keys in SECTIONS.items() for key in keys
                                          if key != "failure_answer"])
def test_no_comment_becomes_part_of_a_value_unnoticed(write, tmp_path, section, key, comment):
    """But in the answer for the POS, which is any text."""
    shipped = settings.load_with_sources(None)[1][f"{section}.{key}"].text
    for value in {shipped, SET.get(key, shipped)}:
        write("b.ini", f"[{section}]\n{key} = {value} {comment}\n")
        try:
            noticed = "\n".join(settings.load(tmp_path).warnings())
        except settings.SettingsError as error:
            noticed = str(error)
        assert f"{section}.{key}: " in noticed and "comment" in noticed, (value, noticed)


def test_the_directory_of_a_command_without_one():
    assert settings.default_dir({}) == Path("/etc/econduit-terminal")
    assert settings.default_dir({"ECONDUIT_CONFIG_DIR": ""}) == Path("/etc/econduit-terminal")
    assert settings.default_dir({"ECONDUIT_CONFIG_DIR": "/tmp/x"}) == Path("/tmp/x")


WORDS = st.sampled_from(["[cloud]", "[heartbeat]", "[", "]", "=", "primary", "interval", "1s", "host:1", "#", "%", "é",
                         "\n", " "])


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=100) | st.lists(WORDS, max_size=20).map(lambda words: "".join(words).encode()))
def test_no_file_raises_anything_but_settings_error(tmp_path, data):
    (tmp_path / "a.ini").write_bytes(data)
    try:
        settings.load(tmp_path)
    except settings.SettingsError as error:
        assert error.mistakes and all(line.isprintable() for line in error.mistakes)


def test_a_mistake_leaves_what_is_needed_to_show_it(write, tmp_path):
    write("a.ini", "[local]\nsocket = /tmp/here.sock\nlog_level = loud\n[cloud]\nprimary = x\nsecondry = y:1\n")
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(tmp_path)
    assert caught.value.usable.local.socket == "/tmp/here.sock"
    assert caught.value.usable.local.log_level == "info"
    assert caught.value.usable.cloud == settings.load(None).cloud
