"""Tools and tool choice for one upstream, and the mends that undo in the answer what had to be changed."""

from typing import Any

from proxx.protocols.hub import freeform
from proxx.protocols.hub.cuts import FirstCallOnly
from proxx.protocols.hub.freeform import UnwrapFreeform
from proxx.protocols.hub.output import AnswerAsText, answer_tool
from proxx.protocols.hub.request import ToolChoice, ToolRef, ToolSpec
from proxx.protocols.hub.schemas import qualifies_strict, rooted
from proxx.protocols.openai_chat.dialect import NAME
from proxx.protocols.openai_chat.write_request.ask import Ask
from proxx.protocols.openai_chat.write_request.content import mark
from proxx.protocols.spec import Mend

Json = dict[str, Any]

_WEB_SEARCH = "web_search"


class Toolbox:
    """The tools of one request: `members` of the body, and `mends` for the answer."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._kinds: dict[str, str] = {}  # of wrapping functions, by upstream name
        self._answer = ""
        self._choice = ask.request.tool_choice
        self.members: Json = {}
        tools = self._declared()
        if tools:
            self.members["tools"] = tools
            self._choose(tools)

    @property
    def forces(self) -> bool:
        """Whether the model must call a tool."""
        return bool(self.members.get("tools")) and self.members.get("tool_choice", "auto") not in ("auto", "none")

    def mends(self) -> tuple[Mend, ...]:
        """Return what restores the client's tools in the answer, once all names of the request are known."""
        found: list[Mend] = []
        if self._kinds:
            found.append(UnwrapFreeform(self._kinds))
        if self._answer:
            found.append(AnswerAsText(self._answer))
        found += self._ask.names.mends()
        if self._ask.request.parallel is False and "no_parallel_tool_calls" in self._ask.quirks:
            found.append(FirstCallOnly())
        return tuple(found)

    def _declared(self) -> list[Json]:
        specs = [spec for spec in self._ask.request.tools if spec.kind != "tool_search"]
        choice = self._choice
        if choice is not None and choice.mode == "subset" and not self._ask.platform:
            specs = [spec for spec in specs if ToolRef(spec.name, spec.namespace) in choice.tools]
            self._ask.losses.drop("tool_choice", "only the allowed tools are sent")
            self._choice = ToolChoice("required" if choice.must else "auto")
        written = [one for spec in specs for one in self._written(spec)]
        if self._wants_answer_tool():
            spec = answer_tool(self._ask.request.output, taken={tool.name for tool in specs})
            self._answer = self._ask.names.upstream(spec.name)
            written.append(self._function(spec))
            self._choice = ToolChoice("required") if len(written) > 1 else ToolChoice("named", (ToolRef(spec.name),))
        return written

    def _wants_answer_tool(self) -> bool:
        return self._ask.request.output.format == "schema" and "no_json_schema" in self._ask.quirks

    def _written(self, spec: ToolSpec) -> list[Json]:
        if spec.kind == "custom" and self._ask.platform:
            return [self._custom(spec)]
        if spec.kind == "function":
            return [self._function(spec)]
        if spec.kind in freeform.WRAPPED:
            return [self._wrapped(spec)]
        self._hosted(spec)
        return [spec.raw] if spec.kind == "hosted" and spec.dialect == NAME and spec.raw else []

    def _function(self, spec: ToolSpec) -> Json:
        ask = self._ask
        function: Json = {"name": ask.names.upstream(spec.name, spec.namespace)}
        if spec.description:
            function["description"] = spec.description
        function["parameters"] = rooted(spec.schema, field=f"tools[{spec.name}].parameters")
        if spec.strict is not None:
            function["strict"] = spec.strict and qualifies_strict(function["parameters"])
            if function["strict"] != spec.strict:
                ask.losses.drop(f"tools[{spec.name}].strict", "its schema does not qualify")
        return {"type": "function", "function": function, **mark(ask, spec.cache)}

    def _custom(self, spec: ToolSpec) -> Json:
        custom: Json = {"name": self._ask.names.upstream(spec.name, spec.namespace)}
        if spec.description:
            custom["description"] = spec.description
        if spec.grammar:
            custom["format"] = {"type": "grammar", "grammar": spec.grammar}
        return {"type": "custom", "custom": custom}

    def _wrapped(self, spec: ToolSpec) -> Json:
        description, schema = freeform.wrapper(spec)
        name = self._ask.names.upstream(spec.name, spec.namespace)
        self._kinds[name] = spec.kind
        return {
            "type": "function",
            "function": {"name": name, "description": description, "parameters": schema},
            **mark(self._ask, spec.cache),
        }

    def _hosted(self, spec: ToolSpec) -> None:
        """Say what the vendor runs itself in this upstream's words; refuse or note it where there are none."""
        ask = self._ask
        if spec.kind == "hosted" and spec.dialect == NAME:
            return
        if spec.kind == _WEB_SEARCH and "web_plugin" in ask.quirks:
            self.members["plugins"] = [{"id": "web"}]
            self._note_domains(spec)
            return
        if spec.kind == _WEB_SEARCH and ask.platform and "search" in ask.target.model:
            self.members["web_search_options"] = _search_options(spec)
            self._note_domains(spec)
            return
        forced = self._choice is not None and (
            (self._choice.mode == "named" and self._choice.tools[0].name in (spec.name, spec.kind))
            or (self._choice.mode == "required" and len(ask.request.tools) == 1)
        )
        if forced or len(ask.request.tools) == 1:
            ask.losses.refuse(f"tools[{spec.name}]", "it has no such tool of its own")
        ask.losses.drop(f"tools[{spec.name}]", "it has no such tool of its own")

    def _note_domains(self, spec: ToolSpec) -> None:
        hosted = spec.hosted
        if hosted is not None and (hosted.allowed_domains or hosted.blocked_domains or hosted.max_uses):
            self._ask.losses.drop(f"tools[{_WEB_SEARCH}]", "its domains and limits cannot be said")

    def _choose(self, tools: list[Json]) -> None:
        choice = self._choice
        if choice is not None and not self._is_search(choice):
            self.members["tool_choice"] = self._chosen(choice, tools)
        if self._ask.request.parallel is not None and "no_parallel_tool_calls" not in self._ask.quirks:
            self.members["parallel_tool_calls"] = self._ask.request.parallel

    def _is_search(self, choice: ToolChoice) -> bool:
        # Where searching is an option of the whole request it cannot be chosen, and is done when it was asked for.
        searches = "plugins" in self.members or "web_search_options" in self.members
        return searches and choice.mode == "named" and choice.tools[0].name == _WEB_SEARCH

    def _chosen(self, choice: ToolChoice, tools: list[Json]) -> str | Json:
        if choice.mode == "named":
            return self._ref(choice.tools[0], tools)
        if choice.mode == "subset":
            refs = [self._ref(ref, tools) for ref in choice.tools]
            mode = "required" if choice.must else "auto"
            return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": refs}}
        return choice.mode

    def _ref(self, ref: ToolRef, tools: list[Json]) -> Json:
        name = self._ask.names.upstream(ref.name, ref.namespace)
        for tool in tools:
            kind = tool["type"]
            if kind in tool and tool[kind].get("name") == name:
                return {"type": kind, kind: {"name": name}}
            if kind == ref.name:
                return {"type": kind}
        return self._ask.losses.refuse("tool_choice", f"no tool named '{ref.name}' is declared")


def _search_options(spec: ToolSpec) -> Json:
    hosted = spec.hosted
    if hosted is None:
        return {}
    options: Json = {}
    if hosted.user_location:
        place = {name: value for name, value in hosted.user_location.items() if name != "type"}
        options["user_location"] = {"type": "approximate", "approximate": place}
    if hosted.context_size:
        options["search_context_size"] = hosted.context_size
    return options
