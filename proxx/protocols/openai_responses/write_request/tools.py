"""Declared tools, the choice among them and their names, for a Responses upstream."""

from typing import Any

from proxx.protocols.hub.freeform import WRAPPED, UnwrapFreeform, wrapper
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.names import LONGEST, OPENAI, NameTable
from proxx.protocols.hub.parts import ToolCall
from proxx.protocols.hub.request import Request, ToolChoice, ToolRef, ToolSpec
from proxx.protocols.hub.schemas import qualifies_strict, rooted
from proxx.protocols.hub.target import Target
from proxx.protocols.openai_responses.dialect import NAME
from proxx.protocols.openai_responses.write_request.vendor import knows_vendor_words, takes_kind
from proxx.protocols.spec import Mend

LONGEST_WITH_VENDOR = 128


class Tools:
    """The tools of one request: `declared` as the body says them, `mends` for the answer's calls."""

    def __init__(self, request: Request, target: Target, losses: Losses) -> None:
        self._request, self._target, self._losses = request, target, losses
        self._vendor = knows_vendor_words(target)
        self._own = request.dialect == NAME
        self._names = NameTable(OPENAI, LONGEST_WITH_VENDOR if self._vendor else LONGEST)
        self._kinds: dict[str, str] = {}
        self._specs = _first_of_each(request.tools)
        self.declared: list[dict[str, Any]] = []
        for tool in self._specs.values():
            self._declare(tool)

    @property
    def mends(self) -> tuple[Mend, ...]:
        """What gives calls in the answer their kinds and names back."""
        unwrap = (UnwrapFreeform(self._kinds),) if self._kinds else ()
        return (*unwrap, *self._names.mends())

    def name_of(self, call: ToolCall) -> dict[str, str]:
        """Return the members that name a call of the history: its name, and its namespace where that is known."""
        if call.namespace and self._vendor:
            return {"name": call.name, "namespace": call.namespace}
        return {"name": self._names.upstream(call.name, call.namespace)}

    def kind_of(self, kind: str) -> str:
        """Return the kind under which calls of a kind stand in the history."""
        return kind if kind in ("function", "custom") or takes_kind(self._target, kind) else "function"

    def choice(self) -> Any:
        """Return `tool_choice`; None where there is nothing to choose."""
        choice = self._request.tool_choice
        if choice is None or not self.declared:
            return None
        match choice.mode:
            case "named":
                return self._chosen(choice.tools[0])
            case "subset":
                return self._allowed(choice)
        return choice.mode

    def _allowed(self, choice: ToolChoice) -> dict[str, Any]:
        listed = [self._chosen(ref) for ref in choice.tools]
        return {"type": "allowed_tools", "mode": "required" if choice.must else "auto", "tools": listed}

    def _chosen(self, ref: ToolRef) -> dict[str, str]:
        tool = self._specs.get((ref.namespace, ref.name))
        kind = tool.kind if tool is not None else "function"
        if kind in ("web_search", "hosted", "computer"):
            return {"type": ref.name}
        if kind not in ("function", "custom") and takes_kind(self._target, kind):
            return {"type": kind}
        said = {"type": "custom" if kind == "custom" else "function"}
        if ref.namespace and self._vendor:
            return said | {"name": ref.name, "namespace": ref.namespace}
        return said | {"name": self._names.upstream(ref.name, ref.namespace)}

    def _declare(self, tool: ToolSpec) -> None:
        if tool.kind in ("hosted", "computer"):
            self._declare_hosted(tool)
        elif tool.kind == "web_search":
            self.declared.append(self._web_search(tool))
        elif tool.namespace and self._vendor and tool.raw is not None:
            self._declare_in_namespace(tool)
        elif tool.kind not in ("function", "custom") and takes_kind(self._target, tool.kind):
            self.declared.append(tool.raw or {"type": tool.kind})
        else:
            self.declared.append(self._named(tool))

    def _declare_in_namespace(self, tool: ToolSpec) -> None:
        raw = tool.raw or {}
        before = self.declared[-1] if self.declared else {}
        if before.get("type") == "namespace" and before.get("name") == tool.namespace:
            before["tools"] += raw["tools"]
        else:
            self.declared.append({**raw, "tools": list(raw["tools"])})

    def _named(self, tool: ToolSpec) -> dict[str, Any]:
        name = self._names.upstream(tool.name, tool.namespace)
        if self._own and self._vendor and tool.raw is not None and tool.kind in ("function", "custom"):
            return {**tool.raw, "name": name}
        if tool.kind == "custom":
            form = {"type": "grammar", **tool.grammar} if tool.grammar else {"type": "text"}
            return {"type": "custom", "name": name, "description": tool.description, "format": form}
        description, schema = tool.description, tool.schema
        if tool.kind in WRAPPED:
            self._kinds[name] = tool.kind
            description, schema = wrapper(tool)
        parameters = rooted(schema)
        said = {"type": "function", "name": name} | ({"description": description} if description else {})
        return said | {"parameters": parameters, "strict": self._strict(tool, parameters)}

    def _strict(self, tool: ToolSpec, parameters: dict[str, Any]) -> bool:
        # Said even when it is false: this dialect alone takes silence for a yes.
        wanted = tool.strict if tool.strict is not None or not self._own else True
        if not wanted:
            return False
        fits = qualifies_strict(parameters)
        if not fits and tool.strict:
            self._losses.drop(f"tools[{tool.name}].strict", "the schema is not of the strict kind")
        return fits

    def _web_search(self, tool: ToolSpec) -> dict[str, Any]:
        if tool.dialect == NAME and tool.raw is not None:
            return tool.raw
        said: dict[str, Any] = {"type": "web_search"}
        config = tool.hosted
        if config is None:
            return said
        if config.allowed_domains:
            said["filters"] = {"allowed_domains": list(config.allowed_domains)}
        if config.blocked_domains:
            self._losses.drop("tools[web_search].blocked_domains", "this dialect only names allowed domains")
        if config.user_location:
            said["user_location"] = {"type": "approximate"} | config.user_location
        if config.context_size:
            said["search_context_size"] = config.context_size
        return said

    def _declare_hosted(self, tool: ToolSpec) -> None:
        if tool.dialect == NAME and tool.raw is not None and takes_kind(self._target, tool.name):
            self.declared.append(tool.raw)
        elif tool.name == "tool_search" and tool.dialect == NAME:
            return  # all tools are given at once: nothing is left to search
        elif self._needs(tool):
            self._losses.refuse(f"tools[{tool.name}]", "this provider does not run it")
        else:
            self._losses.drop(f"tools[{tool.name}]", "this provider does not run it")

    def _needs(self, tool: ToolSpec) -> bool:
        choice = self._request.tool_choice
        forced = choice is not None and choice.mode == "named" and choice.tools[0].name == tool.name
        return forced or len(self._specs) == 1


def _first_of_each(tools: tuple[ToolSpec, ...]) -> dict[tuple[str, str], ToolSpec]:
    found: dict[tuple[str, str], ToolSpec] = {}
    for tool in tools:
        found.setdefault((tool.namespace, tool.name), tool)
    return found
