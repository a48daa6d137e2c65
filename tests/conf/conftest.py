from pathlib import Path

import pytest

from econduit_terminal.conf import settings


@pytest.fixture
def write(tmp_path):
    """write("conf.d/10-tms.ini", "[cloud]…") puts a file into the settings directory `tmp_path`."""

    def write(name: str, content: str | bytes) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write


@pytest.fixture
def mistakes(tmp_path):
    """mistakes() loads `tmp_path` and gives what is wrong there, without the directory's name."""

    def mistakes() -> list[str]:
        with pytest.raises(settings.SettingsError) as caught:
            settings.load(tmp_path)
        assert str(caught.value) == "\n".join(caught.value.mistakes)
        return [line.replace(f"{tmp_path}/", "") for line in caught.value.mistakes]

    return mistakes
