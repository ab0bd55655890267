"""Request -> the body that goes to a Gemini upstream. Only camelCase, and the same bytes for the same request."""

from proxx.protocols.framing.encode import encoded
from proxx.protocols.gemini.write_request.contents import write_contents
from proxx.protocols.gemini.write_request.parts import PartWriter
from proxx.protocols.gemini.write_request.settings import MOST_STOPS, refuse_state, tier, write_config
from proxx.protocols.gemini.write_request.tools import LONGEST, NAME, answers_by_tool, write_tools
from proxx.protocols.hub.cuts import FirstCallOnly, StopAt
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.names import NameTable
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.target import Target
from proxx.protocols.spec import Mend, Written

DIALECT = "gemini"


def write_request(request: Request, target: Target, losses: Losses) -> Written:
    """Write a request; raise `Inexpressible` for what Gemini cannot be told."""
    refuse_state(request, losses)
    names = NameTable(NAME, LONGEST)
    tools = write_tools(request, target, names, losses)
    body = write_contents(request, PartWriter(target, names, losses), losses) | tools.members()
    config = write_config(request, target, losses, form=not answers_by_tool(request, tools))
    if config:
        body["generationConfig"] = config
    if request.safety_settings and request.dialect == DIALECT:
        body["safetySettings"] = list(request.safety_settings)
    service = tier(request, losses)
    if service:
        body["serviceTier"] = service
    mends: list[Mend] = [*tools.mends, *names.mends()]
    if request.parallel is False and tools.declared:
        mends.append(FirstCallOnly())
    if len(request.sampling.stop) > MOST_STOPS:
        mends.append(StopAt(request.sampling.stop, choices=request.sampling.n or 1))
    return Written(encoded(body), tuple(mends))
