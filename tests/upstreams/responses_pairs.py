"""How the items of a Responses input belong together: calls and outputs, reasoning and its successor, kept items."""

from typing import Any

from tests.upstreams.answer import Refused
from tests.upstreams.refusals import openai
from tests.upstreams.responses_errors import refused
from tests.upstreams.responses_store import Store

# Which calls an output may answer, and what both are called in the texts.
ANSWERS = {
    "function_call_output": ("function_call", "local_shell_call"),
    "custom_tool_call_output": ("custom_tool_call",),
    "local_shell_call_output": ("local_shell_call",),
    "shell_call_output": ("shell_call",),
    "apply_patch_call_output": ("apply_patch_call",),
}
CALLS = frozenset(call for calls in ANSWERS.values() for call in calls)
INPUT_ROLES = ("user", "system", "developer")


def check(new: list[dict[str, Any]], history: list[dict[str, Any]], store: Store, *, account: str, kept: bool) -> None:
    """Raise Refused where items do not fit together; `kept` says whether this request stores (store true)."""
    _kept(new, store, account=account, kept=kept)
    _seals(new, store, account)
    _once([*history, *new])
    resolved = [_resolved(item, store, account) for item in [*history, *new]]
    _outputs(resolved)
    _followed(resolved)
    _preceded(new, resolved, store, account)


def resolve(items: list[dict[str, Any]], store: Store, account: str) -> list[dict[str, Any]]:
    """Return the items with references replaced by what they name."""
    return [_resolved(item, store, account) for item in items]


def _resolved(item: dict[str, Any], store: Store, account: str) -> dict[str, Any]:
    if item["type"] != "item_reference":
        return item
    found = store.item(item["id"], account)
    return found[0] if found else item


def _kept(items: list[dict[str, Any]], store: Store, *, account: str, kept: bool) -> None:
    """Refuse what names an item by its id alone where nothing of that id is kept."""
    for item in items:
        by_id = item["type"] == "item_reference" or (item["type"] == "reasoning" and item.get("id"))
        if not by_id or item.get("encrypted_content") or (kept and store.item(item["id"], account)):
            continue
        text = f"Item with id '{item['id']}' not found."
        if not kept:
            text += (
                " Items are not persisted when `store` is set to false. Try again with `store` set to true, "
                "or remove this item from your input."
            )
        raise Refused(openai(404, text, "invalid_request_error", None, param="input"))


def _seals(items: list[dict[str, Any]], store: Store, account: str) -> None:
    """Refuse sealed texts that were not given out here, to this account, in an item of this id."""
    for item in items:
        blob = item.get("encrypted_content")
        if blob is None or item["type"] not in ("reasoning", "compaction"):
            continue
        short = f"{blob[:4]}...{blob[-4:]}"
        text, reason = f"The encrypted content {short} could not be verified.", ""
        seal = store.opened(blob)
        if seal is None:
            reason = "Encrypted content could not be decrypted or parsed."
        elif seal.account != account:
            reason = "Encrypted content organization_id did not match the target organization."
        elif item.get("id") and item["id"] != seal.item:
            reason = "Encrypted content item_id did not match the target item id."
        if reason:
            raise refused(f"{text} Reason: {reason}", None, "invalid_encrypted_content")


def _once(items: list[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for item in items:
        id = item.get("id")
        if id is not None and id in seen:
            text = f"Duplicate item found with id {id}. Remove duplicate items from your input and try again."
            raise refused(text, "input")
        seen.add(id)


def _outputs(items: list[dict[str, Any]]) -> None:
    called: dict[str, str] = {}
    answered: set[str] = set()
    for item in items:
        kind, id = item["type"], item.get("call_id")
        if kind in CALLS:
            called[str(id)] = kind
        elif kind in ANSWERS and id is not None:
            if called.get(id) not in ANSWERS[kind]:
                raise refused(f"No tool call found for {kind.replace('_', ' ')} with call_id {id}.", "input")
            answered.add(id)
    for id, kind in called.items():
        if id not in answered:
            raise refused(f"No tool output found for {kind.replace('_', ' ')} {id}.", "input")


def _is_output(item: dict[str, Any]) -> bool:
    """Say whether the model wrote this item."""
    return not (item["type"] in ANSWERS or item.get("role") in INPUT_ROLES or item["type"] == "compaction_trigger")


def _followed(items: list[dict[str, Any]]) -> None:
    for item, after in zip(items, [*items[1:], None], strict=True):
        if item["type"] == "reasoning" and (after is None or not _is_output(after)):
            name = item.get("id", "rs_")
            text = f"Item '{name}' of type 'reasoning' was provided without its required following item."
            raise refused(text, "input")


def _preceded(new: list[dict[str, Any]], items: list[dict[str, Any]], store: Store, account: str) -> None:
    """Refuse a kept item that came right after reasoning, where that reasoning is left out."""
    present = {item.get("id") for item in items}
    for item in new:
        found = store.item(item["id"], account) if item.get("id") else None
        if found is None or found[1] is None or found[1]["id"] in present:
            continue
        text = f"Item '{item['id']}' of type '{found[0]['type']}' was provided without its required 'reasoning' item: "
        raise refused(f"{text}'{found[1]['id']}'.", "input")
