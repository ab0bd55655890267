"""What a provider's row must be, beyond its fields; the console's form and the control API ask here."""

from accounts.models import Credential
from routing import providers
from routing.addresses import base_url_fault, origin
from routing.models import ProviderSetting


def id_fault(wanted: str) -> str:
    """Say why a text can be no provider's id."""
    if providers.PROVIDER_ID.fullmatch(wanted):
        return ""
    return "Use lower-case letters, digits, dots, hyphens and underscores."


def address_fault(provider_id: str, base: str, *, before: str, may_move: bool) -> str:
    """Say why calls cannot go to this address, or why this operator may not send stored secrets there."""
    if base and (fault := base_url_fault(base)):
        return f"This address {fault}."
    moved = base and origin(base) != origin(before)
    if moved and not may_move and Credential.objects.filter(provider_id=provider_id).exists():
        return "Only an owner may send stored credentials to another address."
    return ""


def may_be_deleted(row: ProviderSetting) -> bool:
    """Tell whether a row may go: shipped providers are switched off instead."""
    return row.is_private
