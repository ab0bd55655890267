"""What a credential must be, beyond its fields: whether its secret can travel, and where it may travel to.

The console's form and the control API ask here. Each function returns a sentence, empty if all is well.
"""

from accounts.models import Credential, account_id_of
from proxx.kit import sealing
from routing import provider_env, providers, rows
from routing.addresses import base_url_fault, origin
from routing.models import ProviderSetting

LONGEST_SECRET = 20_000


def secret_fault(typed: str) -> str:
    """Say why a text can be no secret."""
    if not typed.isascii() or any(character.isspace() or not character.isprintable() for character in typed):
        return "A secret holds no spaces, line breaks, control or non-ASCII characters."
    return "This is a sealed value from a database, not a secret." if sealing.is_sealed(typed) else ""


def address_fault(provider_id: str, kind: str, base: str) -> str:
    """Say why calls cannot go to this base URL, or why one is needed."""
    if base and (fault := base_url_fault(base)):
        return f"This address {fault}."
    if not base and lacks_address(provider_id, oauth=kind == Credential.Kind.OAUTH_BEARER):
        return "This provider has no address of its own: type where it listens, such as https://host/v1."
    return ""


def moving_fault(before: str, base: str, *, has_secret: bool, is_typed: bool) -> str:
    """Say why a stored secret must not go to another address: whoever may edit a credential could have it sent to a
    server of their own, and read it there."""
    moved = base and origin(base) != origin(before)
    return "Type the secret again to have it sent to another address." if moved and has_secret and not is_typed else ""


def newcomer_fault(provider_id: str, secret: str, account_id: str) -> str:
    """Say why there can be no such new credential."""
    provider = provider_env.configured()[0].get(provider_id)
    if not secret and (provider is None or provider.needs_key):
        return "Paste the key that the provider gave you."
    twin = Credential.objects.filter(provider_id=provider_id, account_id=account_id).first()
    return f"This one is stored already, as “{twin.label or twin.masked}”." if twin is not None else ""


def account_of(provider_id: str, secret: str, base: str, account_id: str = "") -> str:
    """Return the stable name of a new credential's account."""
    return account_id or account_id_of(provider_id, secret or base)


def provider_labels() -> dict[str, str]:
    """Return the label of every provider that a credential may belong to, by id."""
    found, _ = provider_env.configured()
    labels = {provider.id: provider.label for provider in found.values()}
    said = ProviderSetting.objects.values_list("provider_id", "label")
    return labels | {provider_id: label or labels.get(provider_id, provider_id) for provider_id, label in said}


def lacks_address(provider_id: str, *, oauth: bool = False) -> bool:
    """Tell whether a credential of this provider needs a base URL of its own, for want of the provider's."""
    found, _ = provider_env.configured()
    row = ProviderSetting.objects.filter(provider_id=provider_id).first()
    try:
        provider = rows.applied(row, found) if row else found.get(provider_env.canonical(provider_id, found))
    except (providers.ProviderFault, TypeError, ValueError, KeyError, AttributeError):
        return False  # its row is damaged, which the provider's page says
    return provider is None or not provider.base_for(oauth=oauth)
