"""Energy and water: estimates by family."""

import pytest

from routing import footprint


@pytest.mark.parametrize(
    ("model", "rates"),
    [
        ("gpt-5.4", (1.0, 3.0)),
        ("openai/GPT-5.4-mini", (0.3, 1.0)),
        ("gpt-5.4-nano", (0.1, 0.3)),
        ("gpt-5-mini-2025-08-07", (0.3, 1.0)),
        ("gpt-5", (0.8, 2.5)),
        ("claude-opus-4-6-fast", (1.5, 4.0)),
        ("claude-opus-4-6", (1.0, 3.0)),
        ("claude-opus-4-1", (1.5, 4.0)),
        ("gemini-2.5-flash", (0.2, 0.8)),
        ("gpt-oss:20b", (0.05, 0.15)),
        ("nobodys-model", (0.5, 1.5)),
    ],
)
def test_the_first_family_that_a_name_belongs_to_counts(model, rates):
    assert footprint.joules_per_token(model) == rates


def test_water_follows_energy_by_the_setting(settings):
    settings.WATER_ML_PER_KWH = 1800
    assert footprint.estimate("gpt-5", 1000, 400) == footprint.Footprint(1800.0, 1800 / 3_600_000 * 1800)
    settings.WATER_ML_PER_KWH = 0
    assert footprint.estimate("gpt-5", 1000, 400).water_ml == 0
