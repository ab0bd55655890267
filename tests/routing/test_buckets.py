"""Every token in one bucket, whatever a provider reports, and none lost in translation."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols import registry
from proxx.protocols.hub.events import Finished, Usage
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Text
from proxx.protocols.hub.reply import Choice, Reply, fold, summed, unfold
from proxx.protocols.hub.target import Target
from proxx.protocols.spec import Protocol
from routing import buckets, pricing
from routing.pricing import Price

COUNT = st.one_of(st.none(), st.integers(-5, 5_000))
NOT_COUNTS = ("estimated", "doubtful", "tier")
ANY = st.builds(Usage, **{name: COUNT for name in Usage.__struct_fields__ if name not in NOT_COUNTS})
PRICE = Price(input=7, output=11, cache_read=1, cache_write=9, reasoning=13, audio_in=17, image=5, search=3)

# What a dialect has words for; what it has none for is told as part of its side.
SHARES = {
    "openai_chat": ("cache_read", "cache_write", "reasoning", "audio_out"),
    "openai_responses": ("cache_read", "cache_write", "reasoning"),
    "anthropic": ("cache_read", "cache_write", "cache_write_1h", "reasoning"),
    "gemini": ("cache_read", "reasoning", "audio_out", "image_out"),
    "ollama": (),
}


@st.composite
def sound(draw: Any) -> Usage:
    """A report that does not contradict itself."""
    parts = {name: draw(st.integers(0, 900)) for name in ("fresh", "cache_read", "write", "hour", "audio_in")}
    text, thought, heard, drawn = (draw(st.integers(0, 900)) for _ in range(4))
    return Usage(
        input_total=sum(parts.values()),
        output_total=text + thought + heard + drawn,
        cache_read=parts["cache_read"],
        cache_write=parts["write"] + parts["hour"],
        cache_write_5m=parts["write"],
        cache_write_1h=parts["hour"],
        audio_in=parts["audio_in"],
        reasoning=thought,
        audio_out=heard,
        image_out=drawn,
    )


@given(ANY)
def test_buckets_are_never_below_zero_and_add_up_to_their_side(usage):
    found = buckets.of(usage)
    assert min(msgspec.structs.astuple(found)) >= 0
    assert found.total_in == max(0, usage.input_total or 0)
    assert found.total_out == max(0, usage.output_total or 0)


@given(sound())
def test_a_report_without_contradictions_loses_nothing(usage):
    found = buckets.of(usage)
    assert (found.cache_read, found.cache_write, found.cache_write_1h) == (
        usage.cache_read,
        usage.cache_write_5m,
        usage.cache_write_1h,
    )
    assert (found.reasoning, found.audio_out, found.image_out) == (usage.reasoning, usage.audio_out, usage.image_out)


@given(ANY)
def test_a_cost_is_never_negative_and_is_a_whole_number(usage):
    cost = pricing.cost(usage, PRICE)
    assert cost is None or (type(cost) is int and cost >= 0)


@given(st.lists(sound(), min_size=1, max_size=4))
def test_the_buckets_of_several_answers_in_one_are_their_sums(several):
    each = [msgspec.structs.astuple(buckets.of(one)) for one in several]
    assert msgspec.structs.astuple(buckets.of(summed(several))) == tuple(map(sum, zip(*each, strict=True)))


@pytest.mark.parametrize("dialect", SHARES)
@given(usage=sound())
def test_no_translation_changes_a_side_or_a_bucket_that_its_dialect_can_tell(dialect, usage):
    reply = Reply((Choice((Text("Hi"),), Finished("stop")),), id="r", model="m", usage=usage)
    # Through events, as a stream goes, and written and read as a client of the dialect would.
    for read in (fold(unfold(reply)).usage, _read_back(registry.get(dialect), reply)):
        assert read is not None
        before, after = buckets.of(usage), buckets.of(read)
        assert (after.total_in, after.total_out) == (before.total_in, before.total_out)
        assert [getattr(after, name) for name in SHARES[dialect] if name != "cache_write"] == [
            getattr(before, name) for name in SHARES[dialect] if name != "cache_write"
        ]
        if "cache_write" in SHARES[dialect]:
            assert after.cache_write + after.cache_write_1h == before.cache_write + before.cache_write_1h


@pytest.mark.parametrize(
    "odd", [{"doubtful": True}, {"input_total": 60_000_000}, {"output_total": 2**39}, {"web_searches": 2**39}]
)
def test_a_report_that_cannot_be_is_doubted(odd):
    assert buckets.doubt(Usage(**{"input_total": 1, "output_total": 1, **odd}))
    assert buckets.doubt(Usage(input_total=1, output_total=1, cache_read=9)) == ""


def _read_back(protocol: Protocol, reply: Reply) -> Usage | None:
    written = protocol.write_whole(reply, Occasion("0" * 32, 1, "m"))
    return protocol.read_whole(written, Target("p", "m", protocol.name), "0" * 32).usage
