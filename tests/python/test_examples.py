"""The programs of `examples`, each under both of its sets of handlers, and their command lines."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from segue import Delegate, answers, run

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "Cargo.lock"


def load(name):
    """A program of `examples`, as a module."""
    spec = importlib.util.spec_from_file_location(f"segue_example_{name}", ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


lockfile, crawl, bank, stepping = load("lockfile"), load("crawl"), load("bank"), load("stepping")

# lockfile


SMALL_LOCK = """
version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = ["log", "pair 1.0.0", "pair 2.0.0 (registry)"]

[[package]]
name = "log"
version = "0.4.0"
source = "registry"

[[package]]
name = "pair"
version = "1.0.0"
dependencies = ["log"]

[[package]]
name = "pair"
version = "2.0.0"
dependencies = ["log"]
"""
SMALL_REPORT = lockfile.Report(
    packages=4,
    dependencies=5,
    repeated=(("pair", ("1.0.0", "2.0.0")),),
    most_needed=(("log", 3), ("pair", 2)),
)


def test_a_lock_is_imported_in_memory():
    job = lockfile.import_and_report("small.lock", 5)
    assert run(job, handlers=lockfile.in_memory({"small.lock": SMALL_LOCK})).value == SMALL_REPORT


def test_a_lock_is_imported_into_a_database(tmp_path):
    lock, database = tmp_path / "small.lock", tmp_path / "small.sqlite"
    lock.write_text(SMALL_LOCK)
    job = lockfile.import_and_report(str(lock), 5)
    # A second import replaces what the first one left.
    for _ in range(2):
        assert run(job, handlers=lockfile.on_disk(database)).value == SMALL_REPORT
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("select name, version from package order by name, version").fetchall()
    assert rows == [("app", "0.1.0"), ("log", "0.4.0"), ("pair", "1.0.0"), ("pair", "2.0.0")]


def test_both_sets_of_handlers_agree_on_this_project(tmp_path):
    job = lockfile.import_and_report(str(LOCK), 10)
    on_disk = run(job, handlers=lockfile.on_disk(tmp_path / "lock.sqlite")).value
    in_memory = run(job, handlers=lockfile.in_memory({str(LOCK): LOCK.read_text()})).value
    assert on_disk == in_memory
    assert on_disk.packages == LOCK.read_text().count("[[package]]")
    assert on_disk.most_needed


def test_a_failing_import_leaves_the_database_as_it_was(tmp_path):
    database = tmp_path / "small.sqlite"
    texts = lockfile.files({"good": SMALL_LOCK, "twice": SMALL_LOCK + SMALL_LOCK.partition("version = 4")[2]})
    good = run(lockfile.import_lock("good"), handlers=[lockfile.Database(database), texts])
    assert good.value == 4
    bad = run(lockfile.import_lock("twice"), handlers=[lockfile.Database(database), texts])
    assert isinstance(bad.error, sqlite3.IntegrityError)
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("select count(*) from package").fetchone() == (4,)


@pytest.mark.parametrize("text", ["no toml", "x = 1", "package = 3", "[[package]]\nname = 'a'", "package = ['a']"])
def test_what_is_no_lock_is_told(text):
    done = run(lockfile.import_lock("odd"), handlers=lockfile.in_memory({"odd": text}))
    assert isinstance(done.error, lockfile.LockfileError)
    assert "odd is no lock file" in str(done.error)


def test_a_missing_lock_is_told():
    done = run(lockfile.import_lock("none"), handlers=lockfile.in_memory({}))
    assert isinstance(done.error, FileNotFoundError)


def test_the_lockfile_command(tmp_path, capsys):
    database = tmp_path / "lock.sqlite"
    assert lockfile.main([str(LOCK), str(database), "--top", "3"]) == 0
    told = capsys.readouterr().out
    assert f"{LOCK.read_text().count('[[package]]')} packages" in told
    assert f"written to {database}" in told
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("select count(*) from package where name = 'segue'").fetchone() == (1,)

    assert lockfile.main([str(LOCK), str(tmp_path / "other.sqlite"), "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == told.splitlines()[0]
    assert not (tmp_path / "other.sqlite").exists()

    assert lockfile.main([str(tmp_path / "none.lock"), str(database)]) == 1
    assert "none.lock" in capsys.readouterr().err


# crawl


UNREADABLE = PermissionError(13, "Permission denied")
TREE = {
    "top": {
        "a.txt": b"same content",
        "b.bin": b"1234",
        "deep": {"c.txt": b"same content", "d.txt": b"other stuff!", "locked": UNREADABLE, "empty": {}},
        "notes": b"",
    }
}


def test_a_tree_in_memory_is_crawled():
    done = run(crawl.survey("top"), handlers=crawl.in_memory(TREE))
    assert done.value == crawl.Survey(
        files=5,
        bytes_by_suffix={".txt": 36, ".bin": 4, "(none)": 0},
        duplicates=(("top/a.txt", "top/deep/c.txt"),),
    )
    assert list(done.log) == ["top/deep/locked: Permission denied"]


def build(tree, folder):
    """Write a tree in memory to the disk; what cannot be read becomes an empty directory."""
    for name, node in tree.items():
        if isinstance(node, bytes):
            (folder / name).write_bytes(node)
        else:
            (folder / name).mkdir()
            build(node if isinstance(node, dict) else {}, folder / name)


def test_a_tree_on_disk_is_crawled_and_an_unreadable_directory_survived(tmp_path):
    build(TREE, tmp_path)
    locked = str(tmp_path / "top" / "deep" / "locked")

    # Permissions do not stop every user; a handler inside does.
    @answers(crawl.Entries)
    def refuses(effect):
        if effect.path == locked:
            raise UNREADABLE
        return (yield from Delegate())

    on_disk = run(crawl.survey(str(tmp_path / "top")), handlers=[*crawl.on_disk(), refuses])
    in_memory = run(crawl.survey("top"), handlers=crawl.in_memory(TREE))
    prefix = f"{tmp_path}/"
    assert on_disk.value.files == in_memory.value.files
    assert on_disk.value.bytes_by_suffix == in_memory.value.bytes_by_suffix
    assert [[path.removeprefix(prefix) for path in group] for group in on_disk.value.duplicates] == [
        list(group) for group in in_memory.value.duplicates
    ]
    assert [line.removeprefix(prefix) for line in on_disk.log] == list(in_memory.log)


def test_a_directory_that_does_not_exist_is_a_problem_not_a_crash(tmp_path):
    done = run(crawl.survey(str(tmp_path / "none")), handlers=crawl.on_disk())
    assert done.value == crawl.Survey()
    assert list(done.log) == [f"{tmp_path / 'none'}: No such file or directory"]


def test_a_file_that_vanishes_while_it_is_read_is_survived(tmp_path):
    build({"a": b"same", "b": b"same", "c": b"same"}, tmp_path)

    @answers(crawl.Digest)
    def vanished(effect):
        if effect.path.endswith("b"):
            raise FileNotFoundError(2, "No such file or directory")
        return (yield from Delegate())

    done = run(crawl.survey(str(tmp_path)), handlers=[*crawl.on_disk(), vanished])
    assert done.value.duplicates == ((f"{tmp_path}/a", f"{tmp_path}/c"),)
    assert list(done.log) == [f"{tmp_path}/b: No such file or directory"]


def test_links_are_not_followed(tmp_path):
    build({"real": {"file": b"x"}}, tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "real" / "file")
    assert run(crawl.survey(str(tmp_path)), handlers=crawl.on_disk()).value.files == 1


def test_a_tree_two_thousand_directories_deep_is_crawled():
    tree = {"file": b"x"}
    for _ in range(2_000):
        tree = {"d": tree}
    assert run(crawl.survey(""), handlers=crawl.in_memory(tree)).value.files == 1


def test_the_crawl_command(tmp_path, capsys):
    build(TREE, tmp_path)
    assert crawl.main([str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "5 files, 40 bytes" in told
    assert f"  {tmp_path}/top/a.txt\n  = {tmp_path}/top/deep/c.txt" in told
    assert "0 could not be read" in told


# bank


LINES = (ROOT / "examples" / "session.txt").read_text().splitlines()
SAID = [
    "ann is open",
    "bob is open",
    "2500 from ann to bob",
    "refused: there is no account cem",
    "refused: bob has only 3000",
    "ann has 7500",
    "bob has 3000",
]
AUDIT = [
    "Open(account='ann', amount=10000): done",
    "Open(account='bob', amount=500): done",
    "Move(source='ann', target='bob', amount=2500): done",
    "Move(source='bob', target='cem', amount=100): there is no account cem",
    "Move(source='bob', target='ann', amount=9000): bob has only 3000",
]
NO_CREDIT = [bank.overdraft({}), bank.audited]


def test_a_session_in_memory():
    done = run(bank.session(LINES), handlers=[*bank.in_memory(), *NO_CREDIT])
    assert done.value == SAID
    assert list(done.log) == AUDIT
    assert done.raw_store == {"ann": 7500, "bob": 3000}


def test_a_session_with_a_ledger(tmp_path):
    ledger = tmp_path / "ledger.json"
    done = run(bank.session(LINES), handlers=[*bank.on_disk(ledger), *NO_CREDIT])
    assert done.value == SAID
    assert list(done.log) == AUDIT
    assert json.loads(ledger.read_text()) == {"ann": 7500, "bob": 3000}

    again = run(bank.session(["open ann 1", "balance bob"]), handlers=[*bank.on_disk(ledger), *NO_CREDIT])
    assert again.value == ["refused: ann is open already", "bob has 3000"]


def test_credit_is_a_rule_of_its_own():
    generous = [bank.overdraft({"bob": 6000}), bank.audited]
    done = run(bank.session(LINES), handlers=[*bank.in_memory(), *generous])
    assert done.value[4] == "9000 from bob to ann"
    assert done.raw_store == {"ann": 16500, "bob": -6000}


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_a_dry_run_says_the_same_and_changes_nothing(where, tmp_path):
    ledger = tmp_path / "ledger.json"
    handlers = bank.in_memory() if where == "memory" else bank.on_disk(ledger)
    opened = run(bank.session(["open dan 5"]), handlers=bank.on_disk(ledger))
    assert opened.value == ["dan is open"]

    done = run(bank.session(LINES), handlers=[*handlers, bank.DryRun(), *NO_CREDIT])
    assert done.value == SAID
    assert list(done.log) == AUDIT
    assert json.loads(ledger.read_text()) == {"dan": 5}
    if where == "memory":
        assert done.raw_store == {}


def test_a_dry_run_sees_what_is_there(tmp_path):
    ledger = tmp_path / "ledger.json"
    ledger.write_text('{"ann": 100, "bob": 0}')
    lines = ["open ann 1", "transfer ann bob 30", "balance ann", "balance bob", "balance eve"]
    done = run(bank.session(lines), handlers=[*bank.on_disk(ledger), bank.DryRun()])
    assert done.value == [
        "refused: ann is open already",
        "30 from ann to bob",
        "ann has 70",
        "bob has 30",
        "refused: there is no account eve",
    ]
    assert json.loads(ledger.read_text()) == {"ann": 100, "bob": 0}


def test_a_session_that_breaks_off_leaves_the_ledger_alone(tmp_path):
    ledger = tmp_path / "ledger.json"
    ledger.write_text('{"ann": 100}')
    done = run(bank.session(["open bob 1", "rob ann"]), handlers=bank.on_disk(ledger))
    assert isinstance(done.error, bank.CommandError)
    assert ledger.read_text() == '{"ann": 100}'
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.json"]


def test_money_moved_to_the_same_account_stays(tmp_path):
    lines = ["open ann 100", "transfer ann ann 40", "balance ann"]
    for handlers in (bank.in_memory(), bank.on_disk(tmp_path / "ledger.json"), [*bank.in_memory(), bank.DryRun()]):
        assert run(bank.session(lines), handlers=handlers).value[-1] == "ann has 100"


def test_the_bank_command(tmp_path, capsys):
    ledger = tmp_path / "ledger.json"
    session = str(ROOT / "examples" / "session.txt")
    assert bank.main([session, "--ledger", str(ledger), "--dry-run"]) == 0
    dry = capsys.readouterr().out
    assert not ledger.exists()
    assert bank.main([session, "--ledger", str(ledger)]) == 0
    assert capsys.readouterr().out == dry
    assert bank.main([session, "--ledger", str(ledger), "--credit", "bob=9000"]) == 0
    assert "9000 from bob to ann" in capsys.readouterr().out

    broken = tmp_path / "broken.txt"
    broken.write_text("rob ann\n")
    assert bank.main([str(broken), "--ledger", str(ledger)]) == 1
    assert "not a command: 'rob ann'" in capsys.readouterr().err


# second_scheduler, on which most tests of tasks run


def test_the_second_scheduler_command():
    command = [sys.executable, "-m", "examples.second_scheduler"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["rice after 12 minutes", "beans after 30 minutes", "tea after 17 minutes"]


# stepping


def test_stepping_shows_each_switch():
    *switches, end = stepping.drive()
    steps = [line.split(": ", 1)[1] for line in switches if line.startswith("step")]
    assert steps[0] == "nobody ran -> root"
    assert steps[-1] == "root done -> nobody"
    assert "bread waiting: Acquire(lock=<Lock held>) -> soup" in steps
    assert end.endswith("soup is ready, bread is ready")
