import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import journal as journals
from analytics.journal import Journal, line_of, orphans, records_in, trim
from proxx.kit import metrics
from tests.analytics.records import record

ROOM = 1024 * 1024


@pytest.fixture
def journal(tmp_path):
    made = Journal(tmp_path, limit=ROOM)
    yield made
    made.close()


def on_disk(root: Path) -> list:
    return [found for path in sorted(root.rglob("*.log")) for found in records_in(path)]


@given(
    text=st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    tokens=st.one_of(st.none(), st.integers(0, 2**63 - 1)),
)
def test_every_record_reads_back_as_it_was_written(tmp_path_factory, text, tokens):
    path = tmp_path_factory.mktemp("segment") / "1.log"
    written = [record(model_requested=text, input_tokens=tokens), record(warnings=[text, text])]
    path.write_bytes(b"".join(map(line_of, written)))
    assert list(records_in(path)) == written


@given(cut=st.integers(0, 600), keep=st.booleans())
def test_a_torn_line_is_passed_over_and_its_neighbours_are_read(tmp_path_factory, cut, keep):
    path = tmp_path_factory.mktemp("segment") / "1.log"
    first, torn, last = record(), line_of(record()), record()
    end = b"\n" + line_of(last) if keep else b""
    path.write_bytes(line_of(first) + torn[: min(cut, len(torn) - 2)] + end)
    assert list(records_in(path)) == ([first, last] if keep else [first])


def test_a_flipped_bit_is_counted_as_torn(tmp_path):
    path = tmp_path / "1.log"
    path.write_bytes(line_of(record()).replace(b"gpt", b"gqt"))
    before = metrics.value("proxx_journal_torn_lines")
    assert list(records_in(path)) == []
    assert metrics.value("proxx_journal_torn_lines") == before + 1


def test_what_is_appended_is_on_disk_at_once(journal, tmp_path):
    journal.append(line_of(offered := record()), in_memory=True)
    assert on_disk(tmp_path) == [offered]


def test_settled_records_leave_the_disk(journal, tmp_path):
    for _ in range(3):
        journal.append(line_of(record()), in_memory=True)
    journal.settled(2)
    assert len(on_disk(tmp_path)) == 3
    journal.settled(1)
    assert on_disk(tmp_path) == []
    journal.append(line_of(late := record()), in_memory=True)
    assert on_disk(tmp_path) == [late]


def test_a_full_segment_gives_way_to_the_next_and_goes_when_its_records_are_settled(tmp_path):
    journal = Journal(tmp_path, limit=ROOM, segment_bytes=1000)
    offered = [record() for _ in range(7)]
    for each in offered:
        journal.append(line_of(each), in_memory=True)
    assert len(list(tmp_path.rglob("*.log"))) == 3
    journal.settled(4)
    assert on_disk(tmp_path) == offered[3:]  # the first segment held three
    journal.settled(3)
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_over_its_cap_the_journal_drops_the_oldest_and_counts(tmp_path):
    journal = Journal(tmp_path, limit=4000, segment_bytes=1000)
    offered = [record() for _ in range(40)]
    for each in offered:
        journal.append(line_of(each), in_memory=False)
    kept = on_disk(tmp_path)
    assert journal.size <= 4000 + 1500
    assert kept == offered[-len(kept) :]
    assert journal.dropped == 40 - len(kept)
    journal.close()


def test_dropping_a_segment_does_not_take_memory_for_settled(tmp_path):
    journal = Journal(tmp_path, limit=2000, segment_bytes=500)
    offered = [record() for _ in range(10)]
    for each in offered:
        journal.append(line_of(each), in_memory=True)
    assert journal.dropped == 0
    journal.settled(9)
    assert on_disk(tmp_path) == offered[-2:]  # the last segment, whose second record memory still holds
    journal.close()


def test_the_backlog_is_handed_out_oldest_first_and_forgotten_when_replayed(tmp_path):
    journal = Journal(tmp_path, limit=ROOM, segment_bytes=1000)
    offered = [record() for _ in range(4)]
    for each in offered:
        journal.append(line_of(each), in_memory=False)
    seen = []
    while segment := journal.backlog():
        seen += records_in(segment.path)
        journal.replayed(segment)
    assert seen == offered
    assert journal.on_disk_only == 0
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_falls_short_leaves_no_half_line(journal, tmp_path, monkeypatch):
    journal.append(line_of(first := record()), in_memory=True)
    real = os.write
    monkeypatch.setattr(journals.os, "write", lambda file, data: real(file, data[:100]))
    with pytest.raises(OSError, match="full"):
        journal.append(line_of(record()), in_memory=True)
    monkeypatch.undo()
    journal.append(line_of(last := record()), in_memory=True)
    assert on_disk(tmp_path) == [first, last]


def test_nobody_takes_a_journal_whose_process_lives(journal, tmp_path):
    journal.append(line_of(record()), in_memory=True)
    assert list(orphans(tmp_path)) == []


def test_a_closed_journal_with_records_is_taken_by_exactly_one(tmp_path):
    journal = Journal(tmp_path, limit=ROOM)
    journal.append(line_of(left := record()), in_memory=True)
    journal.close()
    (orphan,) = orphans(tmp_path)
    assert list(orphans(tmp_path)) == []
    assert [list(records_in(path)) for path in orphan.segments()] == [[left]]
    orphan.bury()
    assert list(tmp_path.iterdir()) == []


def test_a_journal_in_the_making_is_not_taken_for_dead_until_it_is_rubbish(tmp_path):
    unborn = tmp_path / ".new-1"
    unborn.mkdir()
    assert list(orphans(tmp_path)) == []
    assert unborn.exists()
    os.utime(unborn, (time.time() - 7200,) * 2)
    assert list(orphans(tmp_path)) == []
    assert not unborn.exists()


def test_a_lock_is_free_once_its_process_is_gone(tmp_path):
    holder = (
        "import sys; from pathlib import Path; from analytics.journal import Journal\n"
        f"j = Journal(Path({str(tmp_path)!r}), limit=10**6); print('ready', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen([sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"ready\n"
    assert list(orphans(tmp_path)) == []
    child.kill()
    child.communicate()
    assert len(list(orphans(tmp_path))) == 1


def test_the_journal_is_for_its_owner_only(journal, tmp_path):
    modes = {path.stat().st_mode & 0o077 for path in (journal.folder, *journal.folder.iterdir())}
    assert modes == {0}
    with pytest.raises(BlockingIOError), (journal.folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_journals_of_the_dead_share_one_cap_and_the_oldest_goes_first(tmp_path):
    offered = []
    for age in (300, 200, 100):
        dead = Journal(tmp_path, limit=ROOM)
        for _ in range(10):
            dead.append(line_of(each := record()), in_memory=True)
            offered.append(each)
        dead.close()
        segment = next(dead.folder.glob("*.log"))
        os.utime(segment, (time.time() - age,) * 2)
    assert trim(tmp_path, 10 * len(line_of(offered[0])) * 3) == 0
    assert trim(tmp_path, 10 * len(line_of(offered[0])) * 2) == 10
    assert {each.id for each in on_disk(tmp_path)} == {each.id for each in offered[10:]}
    assert len(list(orphans(tmp_path))) == 3  # nobody holds them: they can be replayed
