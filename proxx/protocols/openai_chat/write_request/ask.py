"""What every step of writing one request needs, and the habits of chat upstreams it has to mind.

A habit is a name in `quirks` of a provider (routing/data/providers.toml); `name=glob` is said of its models that match.
These are the ones that are read here:

| quirk | the upstream |
|---|---|
| openai_platform | is OpenAI's own: all its members, custom tools, allowed_tools, role developer, refusals, sources |
| max_tokens_name | knows the output limit as `max_tokens` only, whatever the model |
| no_system_role | refuses system and developer messages: they become user messages |
| wants_reasoning_content | wants its thinking back as `reasoning_content`, and refuses calls without it |
| reasoning_details | gives and takes `reasoning_details`, and `reasoning` (OpenRouter) |
| thinking_parts | takes thinking as parts of a content list (Mistral) |
| google_signatures | signs calls in `extra_content`, thinks as Gemini does (Google's chat surface) |
| reasoning_object | is told to think by `reasoning: {effort, max_tokens, enabled, exclude}` |
| thinking_switch | is told by `thinking: {type: enabled or disabled}` |
| glm_thinking | is told by `enable_thinking` for GLM models |
| template_thinking | is told by `chat_template_kwargs.enable_thinking` (vLLM, SGLang, llama.cpp) |
| no_reasoning_effort | refuses `reasoning_effort` |
| effort_if_known | refuses it for models that do not think: only those known to take an effort get one |
| no_forced_thinking | refuses to think when a tool is forced |
| string_content | takes content as one string only |
| alternate_roles | refuses two messages of one role in a row: they are joined by a blank line |
| short_call_ids | takes call ids of exactly nine letters and digits |
| mistral_members | takes Mistral's members only: `random_seed`, no names, no probabilities, no bias |
| no_logprobs | refuses logprobs and logit_bias |
| knows_top_k | takes top_k, min_p, repetition_penalty and typical_p |
| cache_control | passes `cache_control` on to Claude |
| cache_breakpoints | takes OpenAI's `prompt_cache_breakpoint` on parts |
| no_stream_options | refuses `stream_options` |
| no_parallel_tool_calls | refuses `parallel_tool_calls`: later calls are left out of the answer |
| no_json_schema | knows no schema for answers: the form becomes a tool |
| no_images, no_files | refuses pictures, or documents |
| file_urls | fetches documents from an address by itself |
| web_plugin | searches the web when asked by `plugins` (OpenRouter) |
| prefix_flag | continues a last assistant message that says `prefix` (Mistral) |
| partial_flag | continues a last assistant message that says `partial` (Moonshot) |
| think_tags | writes its thinking into the text, between <think> tags |
| think_tags_opened | the same, and its template has already written the opening tag |
"""

import re

from proxx.protocols.hub import ids
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.names import NameTable
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.target import Target
from proxx.protocols.openai_chat.dialect import habits

_ANY_ID = re.compile(r"[!-~]+")


class Ask:
    """One request, for whom it is written, and the tables that hold for all of it."""

    __slots__ = ("losses", "names", "quirks", "request", "target")

    def __init__(self, request: Request, target: Target, losses: Losses) -> None:
        self.request, self.target, self.losses = request, target, losses
        self.quirks = habits(target.quirks, target.model)
        self.names = NameTable()

    @property
    def platform(self) -> bool:
        """Whether this is OpenAI's own API."""
        return "openai_platform" in self.quirks

    @property
    def family(self) -> str:
        """The model's family, empty if unknown."""
        return self.target.facts.family

    @property
    def marks_cache(self) -> bool:
        """Whether marks on parts reach a model that minds them."""
        return "cache_breakpoints" in self.quirks or ("cache_control" in self.quirks and self.family == "claude")

    def call_id(self, id: str) -> str:
        """Return a call's id as this upstream takes it."""
        if "short_call_ids" in self.quirks:
            return ids.fitted(id, pattern=ids.MISTRAL, longest=ids.MISTRAL_LENGTH)
        return ids.fitted(id, pattern=_ANY_ID)
