"""What is held of a call while it runs: bounded for each part, and for the whole process."""

import sys
from uuid import uuid4

import pytest

from accounts.keeping import ALL, ERRORS
from analytics.bodies import parts
from analytics.bodies.parts import ASKED, HEARD, OVERHEAD, TOLD, Bodies, Part, pack, unpack


@pytest.fixture(autouse=True)
def room(monkeypatch):
    monkeypatch.setattr(parts, "room", parts.Room())
    return parts.room


def bodies(share=ALL):
    return Bodies(uuid4(), uuid4(), share)


def test_a_part_holds_its_beginning_and_measures_all_of_it(settings):
    settings.PROXY_BODIES_PART_LIMIT = 1024
    part = bodies().part(HEARD)
    for piece in (b"a" * 1000, b"b" * 1000, b"c"):
        part.take(piece)
    assert (b"".join(part.pieces), part.size, part.cut) == (b"a" * 1000 + b"b" * 24, 2001, "part")


def test_what_fits_is_held_by_reference():
    said = bytes(2000)
    assert bodies().part(ASKED, 0, said).pieces[0] is said


def test_tiny_pieces_take_little_more_memory_than_what_they_say():
    part = bodies().part(HEARD)
    said = [f"{number:04d}".encode() for number in range(5000)]
    for number, piece in enumerate(said):
        part.take(piece)
        if number == 2500:
            part.take(b"x" * 4000)
    assert b"".join(part.pieces).replace(b"x" * 4000, b"") == b"".join(said)
    taken = sum(sys.getsizeof(piece) + 8 for piece in part.pieces)
    assert taken < part.held * 1.25


def test_after_a_cut_nothing_is_held_that_does_not_follow(settings, room):
    settings.PROXY_BODIES_MEMORY = OVERHEAD * 2 + 100
    other, part = bodies(), bodies().part(HEARD)
    other.part(ASKED, 0, b"o" * 90)
    part.take(b"beginning and")
    other.end()
    other.release()
    part.take(b" end")
    assert (b"".join(part.pieces), part.size, part.cut) == (b"beginning ", 17, "room")


def test_all_calls_of_a_process_share_one_room(settings, room):
    settings.PROXY_BODIES_MEMORY = 2 * OVERHEAD + 1000
    first, second = bodies(), bodies()
    first.part(ASKED, 0, b"x" * 900)
    part = second.part(ASKED, 0, b"y" * 900)
    assert (part.held, part.size, part.cut) == (100, 900, "room")
    assert parts.begun(uuid4(), uuid4(), ALL) is None
    for one in (first, second, second):
        one.end()
        one.release()
    assert (room.held, room.full) == (0, 2)


def test_nothing_is_taken_once_the_call_is_over(room):
    call = bodies()
    part = call.part(HEARD, 1, b"early")
    call.end()
    part.take(b"late")
    call.release()
    assert (part.size, room.held) == (5, 0)


def test_a_sample_is_that_share_of_calls(monkeypatch):
    drawn = iter([0.099, 0.1, 0.5])
    monkeypatch.setattr(parts.random, "random", lambda: next(drawn))
    assert [parts.begun(uuid4(), uuid4(), 10) is not None for _ in range(3)] == [True, False, False]
    assert parts.begun(uuid4(), uuid4(), ALL) is not None
    assert parts.begun(uuid4(), uuid4(), ERRORS) is not None


@pytest.mark.parametrize(
    ("outcome", "status", "kept"),
    [
        ("ok", 200, False),
        ("error", 502, True),
        ("refused", 400, True),
        ("refused", 429, False),
        ("cancelled", 499, False),
    ],
)
def test_of_errors_only_failed_calls_are_kept(outcome, status, kept):
    assert bodies(ERRORS).is_wanted(outcome, status) is kept
    assert bodies(ALL).is_wanted(outcome, status)


def test_a_call_of_endless_attempts_has_only_so_many_parts(room):
    call = bodies()
    for number in range(parts.MOST_PARTS + 5):
        call.part(HEARD, number, b"x")
    assert len(call.parts) == parts.MOST_PARTS
    call.release()
    assert room.held == 0


def test_parts_are_packed_and_unpacked():
    said = [Part(ASKED, 0, 3, "abc"), Part(HEARD, 1, 3, same_as=0, cut="part")]
    assert unpack(pack(said)) == said
    with pytest.raises(ValueError, match="no parts"):
        unpack(b"nonsense")


def test_what_is_said_after_the_end_is_not_held(room):
    late = bodies()
    late.end()
    late.release()
    late.part(TOLD, 0, b"x" * 100)
    assert room.held == 0


def test_pieces_of_nothing_are_not_collected():
    part = bodies().part(HEARD)
    for _ in range(5):
        part.take(b"")
    assert part.pieces == []
