"""What the reading and the writing half of this dialect must agree on."""

import re

NAME = "openai_responses"
OPENAI = ("openai_responses", "openai_chat")  # dialects of one vendor, who knows the same files and identities

# Of a Codex client's own headers those that its backend understands. Plan, workspace and token are ours to say.
CODEX_HEADERS = (
    *("session-id", "conversation-id", "thread-id", "x-client-request-id", "originator", "version", "openai-beta"),
    *("x-codex-turn-state", "x-codex-turn-metadata", "x-codex-window-id", "x-codex-beta-features"),
    *("x-codex-parent-thread-id", "x-codex-installation-id", "x-openai-subagent"),
)

COMPACT_FORM = "compact"  # the envelope's form on the path that only compacts

SUMMARY_BY = "gateway"  # the maker named in a wrapped compaction that is plain text

# An upstream without compaction is asked for a summary in these words; one that knows it is asked in its own.
COMPACT = (
    "Summarise this conversation so that another assistant can carry on without it. Keep the user's wishes and "
    "decisions, what has been done and found, the names of files, commands and identifiers that matter, open "
    "questions, and the next steps. Answer with the summary only."
)

CALL_ID = re.compile(r"[\x21-\x7e]+")  # and at most 64 characters, as everywhere

ON_TEXT = "text"  # stands where a wrapped blob names the call it belongs to, when it belongs to the text before it

# The kinds of tools and calls that are items of their own: the item's type, and the member that holds the action.
CALL_ITEMS = {
    "function": ("function_call", "arguments"),
    "custom": ("custom_tool_call", "input"),
    "local_shell": ("local_shell_call", "action"),
    "shell": ("shell_call", "action"),
    "apply_patch": ("apply_patch_call", "operation"),
    "tool_search": ("tool_search_call", "arguments"),
    "computer": ("computer_call", "action"),
}
OUTPUT_ITEMS = {
    "function": "function_call_output",
    "custom": "custom_tool_call_output",
    "local_shell": "local_shell_call_output",
    "shell": "shell_call_output",
    "apply_patch": "apply_patch_call_output",
    "tool_search": "tool_search_output",
    "computer": "computer_call_output",
}
HOSTED_ITEMS = {
    "web_search_call": "web_search",
    "file_search_call": "file_search",
    "code_interpreter_call": "code",
    "image_generation_call": "image",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcp",
}
