"""How calls find their way: rules, listeners, profiles, facts and prices, and the decision on one request."""

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field, StrictInt, StrictStr

from accounts.models import DEFAULT_TENANT_ID, ApiKey, Profile
from accounts.rights import Right
from proxx.api.control.callers import Needs
from proxx.api.control.errors import Refused, not_found
from proxx.api.control.names import not_followed
from proxx.api.control.paging import Order
from proxx.api.control.shapes import Strict
from proxx.api.control.shelves import Shelf, answers, mount
from routing import explaining, policy_rows, reload
from routing.explain_page import LONGEST_BODY, LONGEST_MODEL
from routing.explaining import CannotAsk, Wish
from routing.models import FactSetting, Listener, PolicyRule

router = Router()

_RULE = ("position", "name", "pattern", "kind", "enabled", "providers", "excluded_providers", "order_providers",
         "protocols", "excluded_protocols", "accounts", "paid_plans", "excluded_plans")  # fmt: skip
RULES: Shelf[PolicyRule] = Shelf(
    noun="rule",
    model=PolicyRule,
    read=Right.ROUTING_READ,
    write=Right.ROUTING_WRITE,
    order=Order(("position", "id")),
    shown=("id", *_RULE, "source"),
    settable=_RULE,
    required=("name", "pattern"),
    lines=("providers", "excluded_providers", "protocols", "excluded_protocols", "excluded_plans"),
    check_change=not_followed,
    filters=("enabled", "source"),
)
mount(router, "/rules", RULES)

_LISTENER = ("name", "host", "port", "profile_id", "enabled", "own_key_provider", "own_key_tenant_id")
LISTENERS: Shelf[Listener] = Shelf(
    noun="listener",
    model=Listener,
    read=Right.ROUTING_READ,
    write=Right.ROUTING_WRITE,
    order=Order(("name",)),
    shown=("id", *_LISTENER),
    settable=_LISTENER,
    required=("name",),
    filters=("enabled",),
)
mount(router, "/listeners", LISTENERS)

_PROFILE = ("name", "notes", "temperature", "web_search", "reasoning_effort", "reasoning_summary",
            "complete_reasoning", "reasoning_shown", "models_include", "models_exclude", "reasoning_variants",
            "fast_mode", "chunk_delay_ms", "chunk_delay_max_ms", "preferred_dialect", "headers",
            "blocked_headers")  # fmt: skip
PROFILES: Shelf[Profile] = Shelf(
    noun="profile",
    model=Profile,
    read=Right.PROFILES_READ,
    write=Right.PROFILES_WRITE,
    order=Order(("name",)),
    shown=("id", *_PROFILE, "created_at"),
    settable=_PROFILE,
    required=("name",),
    lines=("models_include", "models_exclude", "headers", "blocked_headers"),
    filters=("name",),
)
mount(router, "/profiles", PROFILES)

_FACTS = ("model", "provider_id", "context_window", "max_output_tokens", "images", "audio", "pdf", "tools",
          "keeps_schema", "reasoning", "price_input", "price_output", "price_cache_read", "price_cache_write",
          "price_cache_write_1h", "price_audio_in", "price_image_in", "price_reasoning", "price_audio_out",
          "price_image_out", "price_image", "price_search", "price_request", "price_tiers", "notes")  # fmt: skip
FACTS: Shelf[FactSetting] = Shelf(
    noun="fact",
    model=FactSetting,
    read=Right.PRICES_READ,
    write=Right.PRICES_WRITE,
    order=Order(("model", "id")),
    shown=("id", *_FACTS),
    settable=_FACTS,
    required=("model",),
    lines=("price_tiers",),
    filters=("model", "provider_id"),
)
mount(router, "/facts", FACTS)


class Added(Schema):
    """How many rows were missing."""

    added: int


@router.post("/rules/defaults", auth=Needs(RULES.write, everywhere=True), response=answers(Added), tags=["Rules"])
def add_default_rules(request: HttpRequest) -> Any:
    """Add the default rules that are missing, behind all others."""
    return {"added": policy_rows.add_defaults()}


class Asked(Strict):
    """A request in a few words, or as it is."""

    model: Annotated[StrictStr, Field(max_length=LONGEST_MODEL)] = ""
    dialect: Literal["openai_chat", "openai_responses", "anthropic", "gemini", "ollama"] = "openai_chat"
    tenant_id: UUID = Field(DEFAULT_TENANT_ID, description="Who asks; left out: the default tenant.")
    key_id: UUID | None = Field(None, description="Which of its keys, for its lists and its profile.")
    needs: set[Literal["images", "audio", "tools", "pdf", "schema", "reasoning"]] = set()
    effort: Literal["", "minimal", "low", "medium", "high", "xhigh"] = ""
    tokens: Annotated[StrictInt, Field(ge=0, le=100_000_000)] = 0
    conversation: Annotated[StrictStr, Field(max_length=1000)] = Field("", description="Its prompt_cache_key.")
    body: Annotated[StrictStr, Field(max_length=LONGEST_BODY)] = Field("", description="The request itself, as text.")


class Step(Schema):
    """One candidate, in the order in which they are tried."""

    number: int
    provider_id: str
    account: str
    credential_id: UUID | None
    model: str
    protocol: str
    url: str
    state: str
    health: str
    why: list[str]


class Left(Schema):
    """Who was struck out, and for what reason."""

    who: str
    reason: str


class Told(Schema):
    """Where the request would go now, and why."""

    steps: list[Step]
    unshown: int
    left_out: list[Left]
    refusal: str
    rule: str
    needs: list[str]
    effort: str
    lost: list[str]
    faults: list[str]


@router.post(
    "/explain-route", auth=Needs(Right.ROUTING_READ, everywhere=True), response=answers(Told), tags=["Explain"]
)
def explain_route(request: HttpRequest, payload: Asked) -> Any:
    """Say where a request would go now, and why: the planner's own decision. Nothing is sent, no turn is used up."""
    snapshot = reload.current()
    tenant = snapshot.tenants.get(payload.tenant_id)
    if tenant is None:
        raise not_found("tenant")
    key = ApiKey.objects.filter(pk=payload.key_id, tenant_id=tenant.id).first() if payload.key_id else None
    if payload.key_id and key is None:
        raise not_found("key")
    wish = Wish(
        model=payload.model.strip(),
        tenant=tenant,
        dialect=payload.dialect,
        key=key.pk if key else None,
        key_profile=key.profile_id if key else None,
        needs=frozenset(payload.needs),
        effort=payload.effort,
        tokens=payload.tokens,
        conversation=payload.conversation,
        body=payload.body.strip().encode(),
    )
    try:
        found = explaining.explain(wish, snapshot)
    except CannotAsk as fault:
        raise Refused(422, "invalid_fields", str(fault), param="body" if wish.body else "model") from None
    names = ("unshown", "refusal", "rule", "effort")
    steps = [{name: getattr(step, name) for name in Step.model_fields} for step in found.steps]
    return {
        "steps": [{**step, "why": list(step["why"])} for step in steps],
        "left_out": [{"who": left.who, "reason": left.reason} for left in found.left_out],
        **{name: list(getattr(found, name)) for name in ("needs", "lost", "faults")},
        **{name: getattr(found, name) for name in names},
    }
