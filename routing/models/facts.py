"""An operator's words on what a model is, can do and costs: better than what any list says."""

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower

from accounts.audited import Audited
from routing import price_tiers
from routing.capabilities import Facts
from routing.pricing import RATES, Price, Tier, rate_of

TIERS_HELP = (
    "One a line, for long input or a service tier: “above 200000: input 6, output 22.5” or “flex: input 1, output 4”; "
    "also cache_read and cache_write. What a line leaves out stays as above."
)


def _dollars(name: str, help_text: str = "") -> Any:
    # Six places: whole nano-dollars per token are exact.
    return models.DecimalField(
        name,
        max_digits=14,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=help_text,
    )


class FactSetting(Audited):
    """What an operator knows of a model, at one provider or anywhere. Empty fields leave what the lists say."""

    model = models.CharField(max_length=200, help_text="The name at the provider; case does not matter.")
    provider_id = models.CharField("provider", max_length=64, blank=True, help_text="Empty: at every provider.")
    context_window = models.PositiveBigIntegerField(null=True, blank=True, help_text="Tokens, answer included.")
    max_output_tokens = models.PositiveBigIntegerField("longest answer", null=True, blank=True, help_text="Tokens.")
    images = models.BooleanField("reads pictures", null=True, blank=True)
    audio = models.BooleanField("hears audio", null=True, blank=True)
    pdf = models.BooleanField("reads PDFs", null=True, blank=True)
    tools = models.BooleanField("calls tools", null=True, blank=True)
    schema = models.BooleanField("keeps to a schema", null=True, blank=True)
    reasoning = models.BooleanField("reasons", null=True, blank=True)
    price_input = _dollars("input", "Dollars per million tokens. With input and output empty, the lists' price counts.")
    price_output = _dollars("output", "Dollars per million tokens.")
    price_cache_read = _dollars("input from the cache", "Empty: as input.")
    price_cache_write = _dollars("input into the cache", "Empty: as input.")
    price_cache_write_1h = _dollars("input into the cache for an hour", "Empty: as into the cache.")
    price_audio_in = _dollars("audio heard", "Empty: as input.")
    price_image_in = _dollars("pictures read", "Empty: as input.")
    price_reasoning = _dollars("reasoning", "Empty: as output.")
    price_audio_out = _dollars("audio made", "Empty: as output.")
    price_image_out = _dollars("pictures made, by their tokens", "Empty: as output, or by the picture.")
    price_image = _dollars("per picture made", "Dollars for one, where its tokens have no price.")
    price_search = _dollars("per web search", "Dollars for one that the provider ran.")
    price_request = _dollars("per call", "Dollars for each, beside its tokens.")
    price_tiers = models.TextField("tiers", blank=True, max_length=4000, help_text=TIERS_HELP)
    notes = models.TextField(blank=True)

    class Meta:
        verbose_name = "facts of a model"
        verbose_name_plural = "facts of models"
        ordering = ["model", "provider_id"]
        constraints = [models.UniqueConstraint(Lower("model"), "provider_id", name="fact_setting_once")]

    def __str__(self) -> str:
        return f"{self.model} at {self.provider_id}" if self.provider_id else self.model

    def clean(self) -> None:
        """Refuse half a price: a cost that leaves out the answer would be a lie."""
        self.model, self.provider_id = self.model.strip(), self.provider_id.strip().lower()
        rates = (self.price_input, self.price_output)
        if any(rate is None for rate in rates) and (any(rate is not None for rate in rates) or self._has_more_prices()):
            raise ValidationError({"price_output": "Give the prices of input and output both, or no price at all."})
        try:
            self.price_tiers = price_tiers.written(price_tiers.read(self.price_tiers))
        except ValueError as fault:
            raise ValidationError({"price_tiers": str(fault)}) from None

    def facts(self) -> Facts:
        """Return what the row says."""
        return Facts(
            context_window=self.context_window or None,
            max_output=self.max_output_tokens or None,
            images=self.images,
            audio=self.audio,
            pdf=self.pdf,
            tools=self.tools,
            schema=self.schema,
            reasoning=self.reasoning,
            price=self._price(),
        )

    def _has_more_prices(self) -> bool:
        return bool(self.price_tiers.strip()) or any(getattr(self, f"price_{name}") is not None for name in RATES)

    def _price(self) -> Price | None:
        if self.price_input is None or self.price_output is None:
            return None
        rates = {name: rate_of(getattr(self, f"price_{name}")) for name in RATES}
        return Price(**rates, tiers=_tiers(self.price_tiers), source="console")


def _tiers(text: str) -> tuple[Tier, ...]:
    """Return the tiers of a row; of one that was not checked, none: half of them would be another price."""
    try:
        return price_tiers.read(text)
    except ValueError:
        return ()
