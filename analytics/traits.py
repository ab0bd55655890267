"""What kind of request a call was, and how its answer ended, as bits of one number: of a prompt no word is kept, only
that there was such a thing in it.

`of` looks at the members of a body, and for marks in parts of its turns; it reads none of them, so that it costs a few
microseconds. It may take the words of a prompt for the thing itself: these are hints for people who search, nothing
decides by them. The order of the words is a format of stored rows: a new one goes last. What they say is labels.py's.
"""

from typing import Final

import msgspec

from proxx.protocols.hub.conversation import Traits

EDGE: Final = 1024  # bytes of the turns' beginning and end, where marks of texts are looked for
COUNTED: Final = 16 * 1024  # bytes in which images are looked for and turns counted; the rest is taken to be alike
LONG, VERY_LONG = 20, 100  # turns of a conversation

WORDS: Final = (
    "has_tools",
    "forced_tool_choice",
    "has_code_fence",
    "has_xml_tags",
    "has_prompt_injection_markers",
    "has_agent_markers",
    "has_system_prompt",
    "has_image_input",
    "long_conversation",
    "very_long_conversation",
    "finish_length",
    "finish_tool_calls",
    "finish_content_filter",
    "finish_refusal",
)
BITS: Final = {word: 1 << place for place, word in enumerate(WORDS)}

# Quotes inside a JSON string are escaped, so a quoted name is a member or a value of the request, not of its texts.
MARKS: Final = (
    (BITS["has_code_fence"], (b"```",)),
    (BITS["has_xml_tags"], (b"</",)),
    (BITS["has_prompt_injection_markers"], (b"gnore previous instructions", b"gnore all previous")),
    (BITS["has_agent_markers"], (b"AGENTS.md", b"CLAUDE.md", b"<environment_context", b"<system-reminder")),
)
IMAGES: Final = (b'"image_url"', b'"image"')
SYSTEM: Final = (b'"system"', b'"developer"')
EMPTY: Final = (b"", b"null", b"[]", b'""', b"{}")
# The words of all dialects for why an answer ended, in lower case; a usual end has none here.
ENDINGS: Final = {
    **dict.fromkeys(("length", "max_tokens", "max_output_tokens", "model_length"), BITS["finish_length"]),
    **dict.fromkeys(("context_window", "model_context_window_exceeded"), BITS["finish_length"]),
    **dict.fromkeys(("tool_calls", "tool_use", "function_call"), BITS["finish_tool_calls"]),
    **dict.fromkeys(
        ("content_filter", "safety", "recitation", "blocklist", "prohibited_content", "spii", "language"),
        BITS["finish_content_filter"],
    ),
    **dict.fromkeys(
        ("image_safety", "image_prohibited_content", "image_recitation", "image_other", "no_image"),
        BITS["finish_content_filter"],
    ),
    "refusal": BITS["finish_refusal"],
}
FREE: Final = (b'"auto"', b'"none"', b'"AUTO"', b'"NONE"', b'"MODE_UNSPECIFIED"')


def of(traits: Traits | None) -> int:
    """Return the bits of a request whose members these are; none where nobody knows them."""
    if traits is None:
        return 0
    found = 0
    if not (_is_empty(traits.tools) and _is_empty(traits.functions)):
        found |= BITS["has_tools"]
        if _is_forced(traits.tool_choice) or _is_forced(traits.tool_config):
            found |= BITS["forced_tool_choice"]
    system = traits.system or traits.instructions or traits.system_instruction
    turns = traits.messages or traits.input or traits.contents
    counted = bytes(turns) if len(turns) <= COUNTED else bytes(memoryview(turns)[:COUNTED])
    edges = counted if len(turns) <= 2 * EDGE else counted[:EDGE] + bytes(memoryview(turns)[-EDGE:])
    for bit, marks in MARKS:
        for mark in marks:
            if mark in edges:
                found |= bit
                break
    if not _is_empty(system) or any(mark in edges for mark in SYSTEM):
        found |= BITS["has_system_prompt"]
    if any(mark in counted for mark in IMAGES):
        found |= BITS["has_image_input"]
    count = counted.count(b'"role"') * len(turns) // max(1, len(counted))
    if count > LONG:
        found |= BITS["long_conversation"]
        if count > VERY_LONG:
            found |= BITS["very_long_conversation"]
    return found


def of_ending(finish: str) -> int:
    """Return the bit of an answer that gives this word for why it ended."""
    return ENDINGS.get(finish, 0) or ENDINGS.get(finish.lower(), 0)


def _is_empty(raw: msgspec.Raw) -> bool:
    return len(raw) <= 4 and bytes(raw) in EMPTY


def _is_forced(raw: msgspec.Raw) -> bool:
    said = bytes(memoryview(raw)[:200])
    return said not in EMPTY and not any(word in said for word in FREE)
