"""Where the money goes: by model, provider, tenant and kind of token, and how sure the figures are."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from analytics.readings.filters import Filters
from analytics.readings.overview import Row, folded
from analytics.readings.reader import TIME, Reader
from analytics.readings.sums import Sums

LARGEST = 8  # models with a colour of their own
OTHERS = "others"
LINE = ("cost_nano", "unpriced", "requests")
WHOLE = ("requests", "ok", "cancelled", "cost_nano", "unpriced", "estimated", "input_tokens", "fresh_tokens",
         "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "audio_in_tokens", "image_in_tokens",
         "output_tokens", "text_tokens", "reasoning_tokens", "audio_out_tokens", "image_out_tokens", "pictures",
         "server_tools")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cost:
    """A stretch of time and the one before. `lines` are nano-dollars for each step by model, the dearest first and the
    rest together; `models`, `providers` and `tenants` by cost."""

    now: Sums
    before: Sums
    steps: list[datetime]
    lines: list[tuple[str, list[int]]]
    models: list[Row]
    providers: list[Row]
    tenants: list[tuple[UUID, Sums]]


def read(filters: Filters, reader: Reader) -> Cost:
    """Return the costs. Three queries, besides what a reader's first takes."""
    groups = reader.groups("tenant", "provider", "model", names=WHOLE)
    now, tenants = Sums(), dict[UUID, Sums]()
    for place, sums in groups.items():
        now.add(sums)
        tenants.setdefault(place[0], Sums()).add(sums)
    models = _dearest(folded(groups, 2))
    return Cost(
        now=now,
        before=reader.total(names=WHOLE, of=filters.period.before()),
        steps=filters.period.steps(),
        lines=_lines(reader, [row.name for row in models if row.sums.cost_nano][:LARGEST]),
        models=models,
        providers=_dearest(folded(groups, 1)),
        tenants=sorted(tenants.items(), key=lambda one: (-one[1].cost_nano, str(one[0]))),
    )


def _dearest(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-row.sums.cost_nano, -row.sums.requests, row.name))


def _lines(reader: Reader, names: list[str]) -> list[tuple[str, list[int]]]:
    """Return each of these models' cost by steps, and that of all others if there is any."""
    steps = reader.filters.period.steps()
    places = {at: number for number, at in enumerate(steps)}
    lines = {name: [0] * len(steps) for name in [*names, OTHERS]}
    for (at, model), sums in reader.groups(TIME, "model", names=LINE).items():
        lines[model if model in names else OTHERS][places[at]] += sums.cost_nano
    return [(name, line) for name, line in lines.items() if name != OTHERS or any(line)]
