"""How an answer goes wrong on the wire: named changes of a good answer. How a provider says no is refusals.py.

Each function takes the answer and the voice that made it and returns a worse one. A fault that only makes sense
for a stream does the nearest thing to a whole reply, which its line in the table says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tests.upstreams import refusals
from tests.upstreams.answer import JSON, SSE, Answer, Frame, Hangup, Pause, Piece
from tests.upstreams.dialect import Speaker
from tests.upstreams.script import FOREVER

SLOW_START = 1.0
HUGE_FRAME = 4 * 1024 * 1024
SAID = {"text", "thought", "call"}


@dataclass(frozen=True, slots=True)
class Voice:
    """What a fault may ask of: the speaker of the dialect, and whose manner of refusing it has."""

    stream: bool
    manner: str
    speaker: Speaker
    after: float | None = None


Fault = Callable[[Answer, Voice], Answer]


def lay(name: str, answer: Answer, voice: Voice, *, after: float | None = None) -> Answer:
    """Return the answer with the fault of that name laid over it; raise KeyError for a name nobody knows."""
    change = TABLE.get(name)
    if change is None:
        return refusals.refusal(name, manner=voice.manner, after=after).answer()
    return change[0](answer, replace(voice, after=after))


def known(name: str, *, manner: str = "openai") -> bool:
    """Say whether a fault or refusal of that name exists."""
    return name in TABLE or refusals.known(name, manner=manner)


def _slow_start(answer: Answer, _: Voice) -> Answer:
    return replace(answer, before=(Pause(SLOW_START), *answer.before))


def _never(answer: Answer, _: Voice) -> Answer:
    return replace(answer, before=(Pause(FOREVER),))


def _silent_body(answer: Answer, _: Voice) -> Answer:
    return replace(answer, pieces=[Pause(FOREVER), *answer.pieces])


def _mute_midway(answer: Answer, _: Voice) -> Answer:
    first, rest = _halves(answer)
    return replace(answer, pieces=[*first, Pause(FOREVER), *rest])


def _hang_up(answer: Answer, _: Voice) -> Answer:
    return replace(answer, status=None, pieces=[Hangup()])


def _reset(answer: Answer, _: Voice) -> Answer:
    return replace(answer, status=None, pieces=[Hangup(reset=True)])


def _reset_midway(answer: Answer, _: Voice) -> Answer:
    first, rest = _halves(answer)
    return replace(answer, pieces=[*first, Pause(0.02), Hangup(reset=True)], declared=_length([*first, *rest]))


def _head_only(answer: Answer, _: Voice) -> Answer:
    return replace(answer, pieces=[Hangup()], declared=_length(answer.frames()))


def _cut_between(answer: Answer, _: Voice) -> Answer:
    first, rest = _halves(answer)
    return replace(answer, pieces=[*first, Hangup()], declared=_length([*first, *rest]))


def _cut_inside(answer: Answer, _: Voice) -> Answer:
    first, rest = _halves(answer)
    half = [Frame(frame.kind, frame.data[: len(frame.data) // 2]) for frame in rest[:1]]
    return replace(answer, pieces=[*first, *half, Hangup()], declared=_length([*first, *rest]))


def _ends_inside(answer: Answer, _: Voice) -> Answer:
    first, rest = _halves(answer)
    half = [Frame(frame.kind, frame.data[: len(frame.data) // 2]) for frame in rest[:1]]
    return replace(answer, pieces=[*first, *half])


def _empty(answer: Answer, _: Voice) -> Answer:
    return replace(answer, pieces=[])


def _only_end(answer: Answer, _: Voice) -> Answer:
    return replace(answer, pieces=[frame for frame in answer.frames() if frame.kind == "end"])


def _error_body(answer: Answer, voice: Voice) -> Answer:
    refused = refusals.refusal("500", manner=voice.manner).answer()
    return replace(refused, status=200)


def _error_first(answer: Answer, voice: Voice) -> Answer:
    if not voice.stream:
        return _error_body(answer, voice)
    return replace(answer, pieces=voice.speaker.first_error(refusals.refusal("500", manner=voice.manner)))


def _limit_first(answer: Answer, voice: Voice) -> Answer:
    refused = refusals.refusal("429", manner=voice.manner, after=voice.after)
    if not voice.stream:
        return replace(refused.answer(), status=200)
    return replace(answer, pieces=voice.speaker.first_error(refused))


def _error_midway(answer: Answer, voice: Voice) -> Answer:
    if not voice.stream:
        return _error_body(answer, voice)
    first, _ = _halves(answer)
    return replace(answer, pieces=[*first, *voice.speaker.error(refusals.refusal("500", manner=voice.manner))])


def _no_end(answer: Answer, voice: Voice) -> Answer:
    if not voice.stream:
        return _ends_inside(answer, voice)
    return _without(answer, {"end", "finish", "usage"})


def _no_done(answer: Answer, _: Voice) -> Answer:
    return _without(answer, {"end"})


def _no_usage(answer: Answer, voice: Voice) -> Answer:
    kept = _without(answer, {"usage"}).frames()
    return replace(answer, pieces=[voice.speaker.without_usage(frame) for frame in kept])


def _garbage(answer: Answer, _: Voice) -> Answer:
    return replace(
        answer, status=None, early=b"\x16\x03\x01\x02\x00\x01\x00 not HTTP at all\r\n\r\n", pieces=[Hangup()]
    )


def _garbage_midway(answer: Answer, _: Voice) -> Answer:
    first, rest = _halves(answer)
    return replace(answer, pieces=[*first, Frame("text", b"\xff\xfe\x00 this is no event \x80\n\n"), *rest])


def _broken_json(answer: Answer, voice: Voice) -> Answer:
    if not voice.stream:
        return replace(answer, pieces=[Frame("whole", b'{"id": "chatcmpl-x", "choices": [{"index": 0, "message": ')])
    return replace(answer, pieces=[_broken(frame) for frame in answer.frames()])


def _broken_midway(answer: Answer, voice: Voice) -> Answer:
    if not voice.stream:
        return _broken_json(answer, voice)
    first, rest = _halves(answer)
    return replace(answer, pieces=[*first, *(_broken(frame) for frame in rest[:1]), *rest[1:]])


def _broken(frame: Frame) -> Frame:
    return Frame(frame.kind, frame.data.rstrip()[:-2] + b"\n\n") if frame.kind != "end" else frame


def _byte_by_byte(answer: Answer, _: Voice) -> Answer:
    return replace(answer, piecewise=True)


def _one_write(answer: Answer, _: Voice) -> Answer:
    return replace(answer, pieces=[Frame("whole", answer.body())])


def _huge_frame(answer: Answer, voice: Voice) -> Answer:
    frames = answer.frames()
    if not voice.stream:
        return replace(answer, pieces=[Frame("whole", frames[0].data[:-1] + b" " * HUGE_FRAME + b"\n")])
    cut = next((index for index, frame in enumerate(frames) if frame.kind in SAID), len(frames))
    return replace(answer, pieces=[*frames[:cut], *voice.speaker.huge("x" * HUGE_FRAME), *frames[cut:]])


def _wrong_type(answer: Answer, _: Voice) -> Answer:
    return answer.with_header("content-type", "text/html; charset=utf-8")


def _json_type(answer: Answer, voice: Voice) -> Answer:
    return answer.with_header("content-type", JSON if voice.stream else SSE)


def _no_type(answer: Answer, _: Voice) -> Answer:
    return answer.with_header("content-type", None)


def _unframed(answer: Answer, _: Voice) -> Answer:
    return replace(answer, framing="close")


def _leaves_after(answer: Answer, _: Voice) -> Answer:
    return replace(answer, hang_up_after=True)


def _early_hints(answer: Answer, _: Voice) -> Answer:
    return replace(answer, early=b"HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n")


def _comments(answer: Answer, voice: Voice) -> Answer:
    if not voice.stream:
        return answer
    note = voice.speaker.comment()
    return replace(answer, pieces=[*note, *(piece for frame in answer.frames() for piece in (*note, frame))])


def _crlf(answer: Answer, voice: Voice) -> Answer:
    if not voice.stream:
        return answer
    plain = [(frame.kind, frame.data.replace(b"\r\n", b"\n")) for frame in answer.frames()]
    return replace(answer, pieces=[Frame(kind, data.replace(b"\n", b"\r\n")) for kind, data in plain])


def _after_done(answer: Answer, voice: Voice) -> Answer:
    if not voice.stream:
        return answer
    return replace(answer, pieces=[*answer.frames(), *voice.speaker.late()])


def _redirect(answer: Answer, _: Voice) -> Answer:
    return Answer(307, (("location", "http://127.0.0.1:9/elsewhere"),), (), "length")


def _halves(answer: Answer) -> tuple[list[Frame], list[Frame]]:
    """Split the frames where the middle of what is said stands; a single frame is split inside."""
    frames = answer.frames()
    if len(frames) < 2:
        data = answer.body()
        middle = len(data) // 2
        return [Frame("whole", data[:middle])], [Frame("whole", data[middle:])]
    said = [index for index, frame in enumerate(frames) if frame.kind in SAID]
    middle = said[len(said) // 2] if said else len(frames) // 2
    if said and middle == said[0]:
        middle += 1  # something was said before the middle
    return frames[:middle], frames[middle:]


def _without(answer: Answer, kinds: set[str]) -> Answer:
    return replace(answer, pieces=[frame for frame in answer.frames() if frame.kind not in kinds])


def _length(frames: Sequence[Piece]) -> int:
    return sum(len(frame.data) for frame in frames if isinstance(frame, Frame))


TABLE: dict[str, tuple[Fault, str]] = {
    "slow-start": (_slow_start, "headers come after a second"),
    "stall-before-headers": (_never, "nothing ever comes"),
    "stall-before-first-event": (_silent_body, "headers, then nothing"),
    "stall-mid-stream": (_mute_midway, "half of the answer, then nothing"),
    "close": (_hang_up, "the connection closes without an answer"),
    "reset": (_reset, "the connection is reset before headers"),
    "reset-mid-body": (_reset_midway, "half of the answer, then a reset"),
    "head-only": (_head_only, "headers, then the connection closes"),
    "cut-between-frames": (_cut_between, "half of the frames, then the connection closes"),
    "cut-mid-frame": (_cut_inside, "half of the frames and half a frame, then the connection closes"),
    "end-mid-frame": (_ends_inside, "as before, but the body ends properly"),
    "empty-200": (_empty, "200 with no body, or an SSE stream without any event"),
    "only-done": (_only_end, "a stream of nothing but its terminator; a whole reply without body"),
    "error-200": (_error_body, "200 whose JSON body is an error"),
    "error-first-event": (_error_first, "a stream whose first event is an error"),
    "limit-first-event": (_limit_first, "a stream whose first event is a rate limit"),
    "error-mid-stream": (_error_midway, "an error event after half of the answer"),
    "no-end": (_no_end, "a stream that ends without finish reason, usage and terminator"),
    "no-done": (_no_done, "a stream that ends without its terminator"),
    "no-usage": (_no_usage, "a stream that leaves out the usage it was asked for"),
    "garbage": (_garbage, "bytes that are not HTTP"),
    "garbage-mid-stream": (_garbage_midway, "bytes that are no event between two events"),
    "invalid-json": (_broken_json, "frames whose JSON does not parse"),
    "invalid-json-mid-stream": (_broken_midway, "one frame in the middle whose JSON does not parse"),
    "one-byte": (_byte_by_byte, "a good answer, one byte at a time"),
    "one-write": (_one_write, "a good stream, all frames in one write"),
    "huge-frame": (_huge_frame, "one frame of 4 MiB"),
    "wrong-content-type": (_wrong_type, "a good answer that calls itself HTML"),
    "json-content-type": (_json_type, "a stream that calls itself JSON, or the reverse"),
    "no-content-type": (_no_type, "a good answer without content type"),
    "unframed": (_unframed, "a good answer that ends with its connection"),
    "leaves-after": (_leaves_after, "a good answer, then the connection closes unannounced"),
    "early-hints": (_early_hints, "a 103 before the good answer"),
    "comments": (_comments, "SSE comments between all frames"),
    "crlf": (_crlf, "SSE with CRLF line ends"),
    "after-done": (_after_done, "an event after the terminator"),
    "redirect": (_redirect, "307 to another origin"),
}
