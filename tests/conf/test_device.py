import dataclasses

import pytest

from econduit_terminal.conf import device, settings
from econduit_terminal.conf.version import VERSION

EMPTY = settings.load(None).terminal
DMI = {"sys/class/dmi/id/sys_vendor": b"Acme Ltd\n", "sys/class/dmi/id/product_name": b"T-100\n",
       "sys/class/dmi/id/product_serial": b"29531204\n"}
TREE = {"proc/device-tree/compatible": b"acme,t200\0acme,t2\0", "proc/device-tree/model": b"Acme T200 Rev 1.2\0",
        "proc/device-tree/serial-number": b"100000003d1d1c36\0"}
COPIES = {"run/econduit-terminal/device/vendor": b"Copy", "run/econduit-terminal/device/product": b"C-1\n",
          "run/econduit-terminal/device/serial": b"7701\n"}


@pytest.fixture
def root(tmp_path):
    def root(files):
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
        return tmp_path

    return root


@pytest.mark.parametrize("files, type, model, id", [
    (DMI, "Acme Ltd", "T-100", "29531204"),
    (TREE, "acme", "Acme T200 Rev 1.2", "100000003d1d1c36"),
    ({name.replace("proc/device-tree", "sys/firmware/devicetree/base"): value for name, value in TREE.items()},
     "acme", "Acme T200 Rev 1.2", "100000003d1d1c36"),
    (TREE | DMI, "Acme Ltd", "T-100", "29531204"),
    (TREE | DMI | COPIES, "Copy", "C-1", "7701"),
    (TREE | DMI | {"sys/class/dmi/id/product_serial": b"To be filled by O.E.M.\n"}, "Acme Ltd", "T-100",
     "100000003d1d1c36"),
    (DMI | {"run/econduit-terminal/device/serial": b""}, "Acme Ltd", "T-100", "29531204"),
])
def test_where_the_names_come_from(root, files, type, model, id):
    found = device.identify(EMPTY, root(files))
    assert found == settings.Terminal(type=type, model=model, id=id, software_version=f"econduit-terminal {VERSION}")


def test_what_is_set_is_kept(root):
    mine = settings.Terminal(type="A", model="B", id="C", software_version="SomeProcessor v1.2")
    assert device.identify(mine, root(DMI)) == mine
    assert device.identify(dataclasses.replace(mine, id=""), root(DMI)).id == "29531204"


@pytest.mark.parametrize("text", ["To be filled by O.E.M.", "SYS-1234567890", "(null string)", "", "0"])
def test_m6_a_placeholder_is_no_serial_number(root, text):
    with pytest.raises(settings.SettingsError) as caught:
        device.identify(EMPTY, root(DMI | {"sys/class/dmi/id/product_serial": text.encode()}))
    mistake, = caught.value.mistakes
    assert mistake.startswith("terminal.id: is empty and this device does not tell its serial number, accepted: id = ")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a\x1b[2Jb", b"x" * 129, b"\0\0\0"])
def test_a_broken_field_is_no_name(root, content):
    with pytest.raises(settings.SettingsError, match="terminal.id"):
        device.identify(EMPTY, root(DMI | {"sys/class/dmi/id/product_serial": content}))


def test_a_device_without_any_names_says_all_at_once(tmp_path):
    with pytest.raises(settings.SettingsError) as caught:
        device.identify(EMPTY, tmp_path)
    assert [line.split(":")[0] for line in caught.value.mistakes] == ["terminal.type", "terminal.model", "terminal.id"]
    assert all("under [terminal] in terminal.ini" in line for line in caught.value.mistakes)


def test_a_serial_number_for_root_alone_is_said_to_be_that(root, monkeypatch):
    real = device._read

    def as_ordinary_user(file):
        if file.name == "product_serial":
            raise PermissionError(13, "Permission denied")
        return real(file)

    monkeypatch.setattr(device, "_read", as_ordinary_user)
    with pytest.raises(settings.SettingsError, match="terminal.id: is empty and .*product_serial is for root alone"):
        device.identify(EMPTY, root(DMI))
    assert device.identify(EMPTY, root(COPIES)).id == "7701"


def test_a_directory_in_the_place_of_a_field_is_passed_over(root):
    base = root(TREE)
    (base / "sys/class/dmi/id/sys_vendor").mkdir(parents=True)
    assert device.identify(EMPTY, base).type == "acme"


def test_mistakes_in_the_settings_and_of_the_device_come_together(root, tmp_path):
    (tmp_path / "own.ini").write_text('[terminal]\ntype = Acme\nmodel = "quoted"\n[heartbeat]\ninterval = soon\n')
    with pytest.raises(settings.SettingsError) as caught:
        device.load_identified(tmp_path, root({}))
    wrong = [mistake.partition("own.ini:")[2] or mistake for mistake in caught.value.mistakes]
    assert [text[:len(start)] for text, start in zip(wrong, ("3: terminal.model: ", "5: heartbeat.interval: ",
                                                             "terminal.id: is empty "), strict=True)] == [
        "3: terminal.model: ", "5: heartbeat.interval: ", "terminal.id: is empty "]
    assert caught.value.usable.terminal.type == "Acme"


def test_no_directory_is_the_one_mistake_there_is(root, tmp_path):
    with pytest.raises(settings.SettingsError) as caught:
        device.load_identified(tmp_path / "typo", root({}))
    assert len(caught.value.mistakes) == 1


def test_settings_and_device_together(root, tmp_path):
    (tmp_path / "own.ini").write_text("[terminal]\nid = 7\n")
    loaded, terminal = device.load_identified(tmp_path, root(DMI))
    assert (loaded.terminal.id, terminal.type, terminal.id) == ("7", "Acme Ltd", "7")
