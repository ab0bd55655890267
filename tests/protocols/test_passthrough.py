"""Watching any event stream: what passes, what ends it, and what a judge is asked."""

import msgspec
import pytest

from proxx.protocols.framing.sse import event_of
from proxx.protocols.passthrough import SseWatch, with_data

FAIL = b"data: failed\n\n"


class More(msgspec.Struct):
    more: str


def judging(asked):
    def judge(seen, frame, data):
        asked.append((event_of(frame), data))
        seen.spoke = True
        seen.finished = seen.finished or b"last" in data
        seen.ended = data == b'"end"'
        if b"error" in data:
            seen.error = {"message": "boom"}
        return frame if b"hide" not in data else b""

    return judge


def watched(*pieces, **options):
    asked = []
    watch = SseWatch(judging(asked), **{"fail": lambda facts: FAIL, **options})
    out = b"".join(watch.feed(piece) for piece in pieces)
    return out + watch.close(), watch.seen, asked


FRAMES = b": hi\n\nevent: a\ndata: 1\n\ndata: 2\r\ndata: 3\r\n\r\n\ndata:\n\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_every_byte_passes_and_the_judge_hears_each_event_once(size):
    pieces = [FRAMES[at : at + size] for at in range(0, len(FRAMES), size)]
    out, seen, asked = watched(*pieces)
    assert out == FRAMES
    assert asked == [(b"a", b"1"), (b"", b"2\n3")]
    assert seen.frames == 2


def test_what_the_judge_hides_does_not_pass():
    assert watched(b'data: 1\n\ndata: "hide"\n\ndata: 2\n\n')[0] == b"data: 1\n\ndata: 2\n\n"


@pytest.mark.parametrize("last", [b'data: "end"\n\n', b'data: "error"\n\n'])
def test_nothing_passes_after_an_end_or_an_error(last):
    assert watched(b"data: 1\n\n" + last + b"data: 2\n\n")[0] == b"data: 1\n\n" + last
    assert watched(b"data: 1\n\n", last, b"data: 2\n\n")[0] == b"data: 1\n\n" + last


def test_bytes_that_are_no_event_are_malformed():
    out, seen, _ = watched(b"data: 1\n\n<html>\n\n")
    assert (out, seen.malformed) == (b"data: 1\n\n", "bytes that are no event")


@pytest.mark.parametrize(("completion", "added", "ended"), [(None, b"", False), (b"", b"", True), (b"!", b"!", True)])
def test_a_finished_stream_without_its_mark_is_completed_only_where_the_dialect_says_so(completion, added, ended):
    out, seen, _ = watched(b'data: "last"\n\n', completion=completion)
    assert (out, seen.ended) == (b'data: "last"\n\n' + added, ended)


def test_an_unfinished_stream_is_never_completed():
    assert watched(b"data: 1\n\n", completion=b"!")[0] == b"data: 1\n\n"


@pytest.mark.parametrize("tail", [b"data: 2", b"data: 2\n", b"data: [DONE]"])
def test_a_last_event_without_its_blank_line_counts_if_it_is_whole(tail):
    assert watched(b"data: 1\n\n" + tail)[0] == b"data: 1\n\n" + tail.strip() + b"\n\n"


def test_half_an_event_at_the_end_does_not_pass():
    assert watched(b'data: 1\n\ndata: {"a')[0] == b"data: 1\n\n"


def test_quiet_events_pass_without_the_judge_once_the_answer_speaks():
    quiet = msgspec.json.Decoder(More)
    one, loud = b'event: m\ndata: {"more":"a"}\n\n', b'event: m\ndata: {"less":"a"}\n\n'
    out, seen, asked = watched(one, one, loud, one, quiet=quiet, quiet_head=b"event: m\ndata: ")
    assert out == one + one + loud + one
    assert asked == [(b"m", b'{"more":"a"}'), (b"m", b'{"less":"a"}')]
    assert seen.frames == 4


@pytest.mark.parametrize("piece", [b'data: {"more":\r"a"}\n\n', b'data: {"more":"a"}\n\ndata: 1\n\n'])
def test_only_a_single_plain_event_is_quiet(piece):
    asked = watched(b"data: 0\n\n", piece, quiet=msgspec.json.Decoder(More))[2]
    assert len(asked) > 1


def test_a_failure_is_written_by_the_dialect():
    assert SseWatch(judging([]), fail=lambda facts: FAIL).fail(None) == FAIL


@pytest.mark.parametrize(
    ("frame", "data", "expected"),
    [
        (b"event: a\ndata: 12\n\n", b"12", b"event: a\ndata: 3\n\n"),
        (b"id: 7\r\ndata: 1\r\ndata: 2\r\n\r\n", b"1\n2", b"id: 7\ndata: 3\n\n"),
    ],
)
def test_new_data_keeps_the_other_lines(frame, data, expected):
    assert with_data(frame, data, b"3") == expected
