import json
import os
import subprocess
import sys


def run(config_dir, *arguments):
    return subprocess.run([sys.executable, "-m", "econduit_terminal.agent", "transactions", "--config-dir", config_dir,
                           *arguments], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})


def test_before_the_first_transaction(tmp_path):
    (tmp_path / "own.ini").write_text(f"[local]\nstate_dir = {tmp_path}/state\n")
    done = run(tmp_path)
    assert done.returncode == 1 and f"there is no journal at {tmp_path}/state" in done.stderr


def test_a_transaction_as_json(tmp_path):
    from econduit_terminal.agent.journal.journal import Journal
    (tmp_path / "own.ini").write_text(f"[local]\nstate_dir = {tmp_path}/state\n")
    journal = Journal.open(tmp_path / "state" / "journal.sqlite3")
    journal._db.execute("INSERT INTO transactions (id, state, ref_id, request_size, received, at_wall, at_boot, at_up) "
                        "VALUES (5, 'unknown', '77', 10, 1800000000, 0, '', 0)")
    done = run(tmp_path, "--json")      # while somebody has the file open
    journal.close()
    assert done.returncode == 0
    assert (json.loads(done.stdout)["ref_id"], json.loads(done.stdout)["state"]) == ("77", "unknown")
    assert "RefID 77" in run(tmp_path).stdout


def test_settings_with_mistakes_do_not_hide_the_journal(tmp_path):
    (tmp_path / "own.ini").write_text(f"[local]\nstate_dir = {tmp_path}/state\nsokcet = /x\n")
    done = run(tmp_path)
    assert done.returncode == 1 and f"there is no journal at {tmp_path}/state" in done.stderr
    assert f"econduit-agent check-config --config-dir {tmp_path} lists them" in done.stderr


def test_no_settings_at_all(tmp_path):
    done = run(tmp_path / "typo")
    assert done.returncode == 2 and "the journal's place is not known" in done.stderr
