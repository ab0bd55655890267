"""What a rejection blames is read from its words, as each vendor chooses them."""

import json

import pytest

from proxx.upstream import failures
from proxx.upstream.failures.complaints import Complaint, read


def blamed(said: object, status: int = 400) -> Complaint | None:
    """Read a rejection: a whole body, or the message of OpenAI's kind of error."""
    body = said if isinstance(said, dict) else {"error": {"message": said, "type": "invalid_request_error"}}
    told = json.dumps(body).encode()
    return read(failures.classify(status, {}, told), told)


MEMBERS = {
    "Unsupported parameter: 'temperature' is not supported with this model.": ("temperature",),
    "Unknown parameter: 'reasoning.mode'.": ("reasoning", "mode"),
    "Unrecognized request argument supplied: top_k": ("top_k",),
    "foo: Extra inputs are not permitted": ("foo",),
    "thinking.adaptive.display: Extra inputs are not permitted": ("thinking", "adaptive", "display"),
    "`top_p` is deprecated for this model.": ("top_p",),
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.": (
        "temperature",
    ),
    "This model does not support the effort parameter.": ("effort",),
    "property 'seed' is unsupported, did you mean 'stop'?": ("seed",),
    "Invalid JSON payload received. Unknown name \"topA\" at 'generation_config': Cannot find field.": (
        "generation_config",
        "topA",
    ),
}


@pytest.mark.parametrize("said", MEMBERS)
def test_a_refused_member_is_found_in_the_words(said: str) -> None:
    """D157."""
    found = blamed(said)
    assert found is not None
    assert (found.blames, found.paths) == ("members", (MEMBERS[said],))


def test_codex_names_the_member_in_its_detail() -> None:
    """D157."""
    found = blamed({"detail": "Unsupported parameter: max_output_tokens"})
    assert found is not None
    assert found.paths == (("max_output_tokens",),)


def test_a_list_of_faults_names_each_place() -> None:
    """D157."""
    fault = {"type": "extra_forbidden", "msg": "Extra inputs are not permitted"}
    found = blamed({"detail": [{**fault, "loc": ["body", "seed"]}, {**fault, "loc": ["body", "user"]}]}, status=422)
    assert found is not None
    assert found.paths == (("seed",), ("user",))


def test_a_member_may_be_named_by_param_alone() -> None:
    """D157."""
    error = {"message": "This is not taken here.", "param": "logprobs", "code": "unsupported_parameter"}
    found = blamed({"error": error})
    assert found is not None
    assert found.paths == (("logprobs",),)


@pytest.mark.parametrize(
    ("old", "new"), [("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")]
)
def test_a_limit_with_another_name_is_told(old: str, new: str) -> None:
    """D157."""
    found = blamed(f"Unsupported parameter: '{old}' is not supported with this model. Use '{new}' instead.")
    assert found is not None
    assert (found.paths, found.instead) == (((old,),), new)


@pytest.mark.parametrize(
    "said",
    [
        "Invalid type for 'temperature': expected a decimal, but got a string instead.",
        "messages: Field required",
        "max_tokens: 99999 > 8192, which is the maximum allowed number of output tokens for m",
        "Function call is missing a thought_signature in functionCall parts.",
        "",
    ],
)
def test_other_rejections_blame_nothing_that_could_go(said: str) -> None:
    """D156."""
    assert blamed(said) is None


def test_only_a_rejection_blames_the_request() -> None:
    """D156."""
    assert blamed("Unsupported parameter: 'seed'", status=500) is None


@pytest.mark.parametrize(
    "said",
    [
        "messages.1.content.0: Invalid `signature` in `thinking` block",
        "The encrypted content gAAA...lse== could not be verified. Reason: Encrypted content could not be decrypted.",
        "Corrupted thought signature.",
        "Thought signature is not valid",
    ],
)
def test_a_seal_that_cannot_be_read_is_known(said: str) -> None:
    """D84."""
    found = blamed(said)
    assert found is not None
    assert found.blames == "seals"


def test_a_refused_feature_is_known() -> None:
    """D158."""
    found = blamed("Unexpected value(s) `dead-1` for the `anthropic-beta` header.")
    assert found is not None
    assert found.blames == "features"


EFFORTS = {
    "Unsupported value: 'xhigh' is not supported with the 'm' model. Supported values are: 'low' and 'high'.": (
        ("low", "high"),
        None,
        "",
    ),
    "This model does not support effort level 'max'. Supported levels: high, low, medium.": (
        ("high", "low", "medium"),
        None,
        "",
    ),
    "output_config.effort: Input should be 'low', 'medium' or 'max'": (("low", "medium", "max"), None, ""),
    '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive".': ((), None, "adaptive"),
    "adaptive thinking is not supported on this model": ((), None, "manual"),
    "Thinking level MINIMAL is not supported for this model.": ((), None, ""),
    "Thinking level is not supported for this model.": ((), None, "budget"),
    "Thinking budget is not supported for this model. Please use thinking level instead.": ((), None, "level"),
    "Budget 0 is invalid. This model only works in thinking mode.": ((), None, "on"),
    "The thinking budget 5 is invalid. Please choose a value between 128 and 32768.": ((), (128, 32768), ""),
    'invalid think value: "minimal" (must be "high", "medium", "low", true, or false)': (
        ("high", "medium", "low"),
        None,
        "",
    ),
}


@pytest.mark.parametrize("said", EFFORTS)
def test_a_refused_effort_says_what_is_taken(said: str) -> None:
    """D96."""
    error = {"message": said, "param": "reasoning.effort" if "Unsupported value" in said else None}
    found = blamed({"error": error})
    assert found is not None
    assert found.blames == "effort"
    assert (found.allowed, found.budget, found.way) == EFFORTS[said]
