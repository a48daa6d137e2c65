import os
import sqlite3
import stat

import pytest

from econduit_terminal.agent.transactions import schema


def pragma(connection, name):
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_fresh_file_is_durable_scrubbing_and_private(tmp_path):
    path = tmp_path / "state" / "journal.sqlite3"
    connection = schema.connect(path)
    assert [pragma(connection, name) for name in ("journal_mode", "synchronous", "secure_delete", "user_version")] == [
        "wal", 2, 1, len(schema.MIGRATIONS)]
    connection.execute("INSERT INTO transactions (state, request_size, received, at_wall, at_boot, at_up) "
                       "VALUES ('handed', 1, 0, 0, '', 0)")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {f"journal.sqlite3{tail}": 0o600 for tail in ("", "-wal", "-shm")}
    connection.close()


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path):
    path = tmp_path / "journal.sqlite3"
    schema.connect(path).close()
    os.chmod(path, 0o644)
    schema.connect(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_older_file_is_brought_up_to_date_once(tmp_path):
    path = tmp_path / "journal.sqlite3"
    path.touch()
    for _ in range(2):
        connection = schema.connect(path)
        assert pragma(connection, "user_version") == len(schema.MIGRATIONS)
        connection.close()


def test_a_migration_is_all_or_nothing(monkeypatch):
    connection = schema.connect(None)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "ALTER TABLE transactions ADD COLUMN tip;",
                                               "CREATE TABLE other (a); SELECT nonsense;"))
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection)
    connection.rollback()
    assert pragma(connection, "user_version") == 1
    assert "tip" not in {row[1] for row in connection.execute("PRAGMA table_info(transactions)")}


def test_each_later_migration_runs_once(monkeypatch):
    connection = schema.connect(None)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "ALTER TABLE transactions ADD COLUMN tip;"))
    schema.migrate(connection)
    schema.migrate(connection)
    assert pragma(connection, "user_version") == 2


def test_a_later_version_is_not_touched(tmp_path):
    path = tmp_path / "journal.sqlite3"
    connection = schema.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(schema.NewerVersion, match="install the newer package"):
        schema.connect(path)
    assert path.read_bytes() == before


def test_a_link_in_the_journal_s_place_is_not_followed(tmp_path):
    (tmp_path / "journal.sqlite3").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        schema.connect(tmp_path / "journal.sqlite3")
    assert not (tmp_path / "elsewhere").exists()
