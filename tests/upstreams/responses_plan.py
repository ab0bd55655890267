"""Plans at the simulated ChatGPT backend: which account has which, the pages that tell of it, and its reset credits.

`plans_of(provider.world)["sk-sim-1"] = Plan([...])` gives the account with that token a plan; others have none and are
never at a limit.
"""

import json
import re

from tests.upstreams.answer import Answer, Refused, whole
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import Page, World
from tests.upstreams.plan import Plan
from tests.upstreams.responses_refusals import detail, envelope

BASE = "/backend-api"


def plans_of(world: World) -> dict[str, Plan]:
    """Return the plans by token."""
    found: dict[str, Plan] = world.memory.setdefault("plans", {})
    return found


def plan_of(arrival: Arrival, world: World) -> Plan | None:
    """Return the plan of whoever asks, if there is one; raise Refused where the named workspace is gone."""
    token = (arrival.header("authorization") or "").removeprefix("Bearer ")
    plan = plans_of(world).get(token)
    workspace = arrival.header("chatgpt-account-id")
    if plan is None:
        if not workspace:
            raise Refused(detail("Unauthorized", 401))
        return None
    if plan.gone_workspace and workspace == plan.gone_workspace:
        raise Refused(envelope(403, "This workspace has been deactivated.", None, "deactivated_workspace"))
    return plan


def taken(arrival: Arrival, world: World) -> Plan | None:
    """Count a call against the plan of whoever asks; raise Refused at its limit."""
    plan = plan_of(arrival, world)
    refusal = plan.take() if plan is not None else None
    if refusal is not None:
        raise Refused(refusal)
    return plan


def _usage(arrival: Arrival, world: World) -> Answer:
    plan = plan_of(arrival, world)
    if plan is None:
        raise Refused(detail("Not Found", 404))
    return whole(200, plan.usage())


def _credits(arrival: Arrival, world: World) -> Answer:
    plan = plan_of(arrival, world)
    if plan is None:
        raise Refused(detail("Not Found", 404))
    return whole(200, {"rate_limit_reset_credits": {"available_count": plan.credits}})


def _redeem(arrival: Arrival, world: World) -> Answer:
    plan = plan_of(arrival, world)
    said = json.loads(arrival.body)
    if plan is None or not plan.redeem(str(said["redeem_request_id"])):
        raise Refused(detail("No credits", 409))
    return whole(200, {"ok": True})


PAGES = (
    Page("GET", re.compile(f"{BASE}/wham/usage"), _usage),
    Page("GET", re.compile(f"{BASE}/wham/rate-limit-reset-credits"), _credits),
    Page("POST", re.compile(f"{BASE}/wham/rate-limit-reset-credits/consume"), _redeem),
)
