"""Facts of models as a Snapshot holds them: the operator's rows, the providers' lists, the shipped or imported list."""

from collections import defaultdict
from collections.abc import Sequence

from routing import facts_file
from routing.capabilities import NOTHING, Facts, Known
from routing.models import CatalogModel, FactSetting


def known(rows: Sequence[CatalogModel]) -> Known:
    """Gather all sources: one query, and a file that is read again only if it changed."""
    listed: dict[str, dict[str, Facts]] = defaultdict(dict)
    same: dict[Facts, Facts] = {}  # most models of a list say the same: one object for all
    for row in rows:
        facts = row.facts()
        if facts != NOTHING:
            listed[row.provider_id].setdefault(row.model_id.lower(), same.setdefault(facts, facts))
    settings = {(row.provider_id, row.model.lower()): row.facts() for row in FactSetting.objects.all()}
    return Known(settings, dict(listed), facts_file.current())
