"""The traffic log's file: bounded, one process's, nobody else's."""

import os
import stat

import pytest

from analytics.traffic_log.file import MARK, LogFile, NotOurs

LIMIT = 4096
LINE = b"x" * 99 + b"\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "traffic.jsonl"


def test_two_files_together_stay_within_the_limit_and_what_goes_is_counted(path):
    file = LogFile(path, LIMIT)
    gone = sum(file.write([LINE, LINE]) for _ in range(100))
    left = [one.read_bytes().splitlines() for one in (path, path.with_name("traffic.jsonl.old"))]
    assert gone == 200 - sum(len(lines) - 1 for lines in left)
    assert gone > 100
    assert sum(one.stat().st_size for one in path.parent.iterdir()) <= LIMIT + 2 * len(LINE) + 200
    assert {lines[0][: len(MARK)] for lines in left} == {MARK}


def test_both_files_are_their_owners_alone_whatever_they_were_before(path):
    path.write_bytes(MARK)
    path.chmod(0o644)
    file = LogFile(path, LIMIT)
    for _ in range(30):
        file.write([LINE])
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert modes == {"traffic.jsonl": 0o600, "traffic.jsonl.old": 0o600}


def test_a_second_process_takes_the_next_name_and_a_later_start_removes_what_was_left(path):
    first, second = LogFile(path, LIMIT), LogFile(path, LIMIT)
    for _ in range(30):
        second.write([LINE])
    assert second.path.name == "traffic.jsonl.2"
    first.write([LINE])
    second.close()
    first.close()
    LogFile(path, LIMIT)
    assert [one.name for one in path.parent.iterdir()] == ["traffic.jsonl"]
    assert path.read_bytes().count(b"\n") == 1


def test_a_file_of_a_process_that_lives_stays(path):
    first, second = LogFile(path, LIMIT), LogFile(path, LIMIT)
    second.write([LINE])
    first.close()
    LogFile(path, LIMIT)
    assert LINE in second.path.read_bytes()


@pytest.mark.parametrize("name", ["traffic.jsonl", "traffic.jsonl.old", "traffic.jsonl.2"])
def test_a_file_that_is_something_else_is_left_alone(path, name):
    other = path.with_name(name)
    other.write_text("PRECIOUS=1\n")
    with pytest.raises(NotOurs, match="stays as it is"):
        LogFile(path, LIMIT)
    assert other.read_text() == "PRECIOUS=1\n"


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "missing folder"])
def test_what_is_no_plain_file_is_refused(path, tmp_path, kind):
    if kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = tmp_path / "not" / "there.jsonl"
    with pytest.raises(NotOurs, match="PROXY_TRAFFIC_LOG"):
        LogFile(path, LIMIT)
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_that_was_moved_away_is_begun_again_when_it_would_be_full(path):
    file = LogFile(path, LIMIT)
    path.unlink()
    for _ in range(30):
        file.write([LINE])
    assert path.read_bytes().startswith(MARK)
