"""What a tenant or a key may use, and from where: lists of names and of networks, of which empty ones restrict nothing.

Both count: a key may use what its tenant may and it itself may, from where both allow it. How the names act on a call
is routing/permits.py, how the networks do proxx/api/auth.py.
"""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import models

from accounts.audited import Audited
from accounts.profile import lines_of
from proxx.kit import peer

_NAMES = "one a line, * for anything; case does not matter."


def check_networks(text: str) -> None:
    """Raise `ValidationError` for a line that is neither an address nor a network, or is one inside the other."""
    faulty = peer.faulty(lines_of(text))
    if faulty is not None:
        raise ValidationError(f"“{faulty[:60]}” is neither an address nor a network such as 10.0.0.0/8.")
    for line in lines_of(text):
        # Of 10.0.0.1/8 nobody knows whether one machine was meant or sixteen million.
        address, slash, _ = line.partition("/")
        (network,) = peer.networks((line,))
        if slash and peer.parsed(address) != peer.parsed(str(network.network_address)):
            raise ValidationError(f"“{line}” is an address inside a network: write {network} or {address}.")


class Restricted(Audited):
    """Lists of models and providers that may be used, and of those that may not; what is refused wins."""

    models_allowed = models.TextField(
        "only these models",
        blank=True,
        help_text=f"Names of models or aliases, {_NAMES} Empty: all. Others are refused and not listed.",
    )
    models_denied = models.TextField(
        "never these models", blank=True, help_text=f"Names of models, {_NAMES} Also refused behind an alias."
    )
    providers_allowed = models.TextField(
        "only these providers", blank=True, help_text=f"Short names such as openai or groq, {_NAMES} Empty: all."
    )
    providers_denied = models.TextField("never these providers", blank=True, help_text=f"Short names, {_NAMES}")
    networks = models.TextField(
        "only from these addresses",
        blank=True,
        validators=[check_networks],
        help_text="Addresses or networks, one a line: 203.0.113.7 or 10.0.0.0/8. Empty: from anywhere. Behind a "
        "reverse proxy, PROXY_TRUSTED_PROXIES must name it.",
    )

    class Meta:
        abstract = True

    @property
    def restrictions(self) -> dict[str, str]:
        """Return all texts by field name, as another row takes them."""
        return {name: getattr(self, name) for name in RESTRICTIONS}

    @property
    def lists(self) -> tuple[str, ...]:
        """Return the texts in the order of LISTS; nothing if none of them says anything."""
        return said(tuple(getattr(self, name) for name in LISTS))

    @property
    def is_restricted(self) -> bool:
        """Tell whether any of the lists of names says anything."""
        return bool(self.lists)


def said(lists: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lists if they say anything, otherwise nothing."""
    return lists if any(text.strip() for text in lists) else ()


def origins(texts: Iterable[str]) -> tuple[peer.Networks, ...]:
    """Return what lists of networks allow: an address must lie in each. A list that cannot be read allows nothing."""
    found = []
    for text in texts:
        if given := lines_of(text):
            found.append(() if peer.faulty(given) is not None else peer.networks(given))
    return tuple(found)


# As a form shows them, side by side.
PAIRS = (("models_allowed", "models_denied"), ("providers_allowed", "providers_denied"))
LISTS = ("models_allowed", "models_denied", "providers_allowed", "providers_denied")
RESTRICTIONS = (*LISTS, "networks")
