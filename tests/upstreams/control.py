"""`/sim/...`: how a test or a demo in another process drives the provider. Loopback callers only.

GET    /sim/help                   this page, model names and faults
GET    /sim/models                 the names that are listed
POST   /sim/script                 one rule or a list of them (script_json.py)
POST   /sim/reset                  forget scripts and journal
GET    /sim/journal                what arrived: ?after=NUMBER leaves out older entries
GET    /sim/journal/REQUEST_ID     the exact body bytes of one answer, by its x-request-id
GET    /sim/state                  open connections, connections made, requests seen
"""

import ipaddress
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from tests.upstreams import faults, model_names, refusals, script_json
from tests.upstreams.answer import Answer, Frame, whole
from tests.upstreams.connection import Arrival

if TYPE_CHECKING:
    from tests.upstreams.server import SimulatedProvider


async def answer(provider: "SimulatedProvider", arrival: Arrival) -> Answer:
    """Answer one control request."""
    if not ipaddress.ip_address(arrival.peer).is_loopback:
        return whole(403, {"error": "Only loopback callers may drive the simulated provider."})
    match arrival.method, arrival.path.removeprefix("/sim/").split("/"):
        case "GET", ["help"]:
            return _text(help_page())
        case "GET", ["models"]:
            return whole(200, provider.world.models)
        case "POST", ["script"]:
            return _script(provider, arrival)
        case "POST", ["reset"]:
            provider.reset()
            return whole(200, {"ok": True})
        case "GET", ["journal"]:
            after = int(parse_qs(arrival.query).get("after", ["0"])[0])
            return whole(200, [entry.as_json() for entry in provider.journal if entry.number > after])
        case "GET", ["journal", request_id]:
            entry = provider.journal.find(request_id)
            if entry is not None:
                body = Frame("whole", bytes(entry.answer))
                return Answer(200, (("content-type", "application/octet-stream"),), (body,))
        case "GET", ["state"]:
            facts = {
                "open": provider.open_connections,
                "made": provider.connections_made,
                "seen": len(provider.journal),
            }
            return whole(200, facts)
    return whole(404, {"error": "See GET /sim/help."})


def help_page() -> str:
    """Return everything a user of a running provider may want to know."""
    wire = "\n".join(f"    {name:26} {meaning}" for name, (_, meaning) in faults.TABLE.items())
    said = "\n".join(f"    {name}" for name in refusals.names())
    return (
        f"{__doc__}\nMODELS AND KEYS\n{model_names.__doc__}\nFAULTS ON THE WIRE (sim-fault-NAME)\n{wire}\n\n"
        f"REFUSALS (sim-fault-NAME; without a provider's name: in the manner of the dialect asked)\n{said}\n"
    )


def _script(provider: "SimulatedProvider", arrival: Arrival) -> Answer:
    try:
        data = json.loads(arrival.body)
        rules = [script_json.from_json(item) for item in (data if isinstance(data, list) else [data])]
    except (ValueError, TypeError, AttributeError) as error:
        return whole(400, {"error": str(error)})
    provider.scripts.rules.extend(rules)
    return whole(200, {"ok": True, "rules": len(provider.scripts.rules)})


def _text(text: str) -> Answer:
    return Answer(200, (("content-type", "text/plain; charset=utf-8"),), (Frame("whole", text.encode()),))
