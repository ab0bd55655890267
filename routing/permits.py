"""Who may use what: the lists of a tenant or a key, ready to be asked. Refused wins over allowed; empty allows all."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Permit:
    """Globs in lower case: of models, and of provider ids."""

    models: tuple[str, ...] = ()
    denied_models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    denied_providers: tuple[str, ...] = ()

    def allows_provider(self, provider_id: str) -> bool:
        """Tell whether calls may go to this provider."""
        return _passes((provider_id,), self.providers, self.denied_providers)

    def allows_model(self, names: Iterable[str]) -> bool:
        """Tell whether a model may be used; `names` are all that it is known by in this call, in lower case."""
        return _passes(tuple(names), self.models, self.denied_models)

    @property
    def restricts_models(self) -> bool:
        """Tell whether any model may not be used."""
        return bool(self.models or self.denied_models)


def _passes(names: tuple[str, ...], allowed: tuple[str, ...], denied: tuple[str, ...]) -> bool:
    if any(fnmatchcase(name, glob) for glob in denied for name in names):
        return False
    return not allowed or any(fnmatchcase(name, glob) for glob in allowed for name in names)
