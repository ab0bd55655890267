"""Token counts where chat upstreams put them, the usual way and every other."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.events import Usage
from proxx.protocols.openai_chat.read_reply.usage import read_usage

COUNTS = st.one_of(st.none(), st.integers(-5, 2**41), st.floats(0, 100), st.booleans(), st.just("7"))
DETAILS = st.one_of(st.none(), st.dictionaries(st.sampled_from(["cached_tokens", "reasoning_tokens", "x"]), COUNTS))
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "prompt_tokens": COUNTS,
        "completion_tokens": COUNTS,
        "total_tokens": COUNTS,
        "prompt_tokens_details": DETAILS,
        "completion_tokens_details": DETAILS,
        "prompt_cache_hit_tokens": COUNTS,
    },
)


@given(OBJECTS)
def test_a_first_report_reads_as_one_that_follows_silence(said):
    """The usual object has a quick way; one that follows another report has not."""
    raw = json.dumps(said).encode()
    assert (read_usage(raw, None) or Usage()) == read_usage(raw, Usage())


@pytest.mark.parametrize(("total", "output"), [(30, 20), (25, 15), (None, 15)])
def test_reasoning_that_only_the_total_counts_belongs_to_the_output(total, output):
    said = {"prompt_tokens": 10, "completion_tokens": 15, "completion_tokens_details": {"reasoning_tokens": 5}}
    usage = read_usage(json.dumps({**said, "total_tokens": total}).encode(), None)
    assert usage is not None
    assert (usage.output_total, usage.reasoning) == (output, 5)
