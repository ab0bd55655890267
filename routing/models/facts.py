"""An operator's words on what a model is, can do and costs: better than what any list says."""

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower

from routing.capabilities import Facts
from routing.pricing import Price, rate_of


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


class FactSetting(models.Model):
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
    price_reasoning = _dollars("reasoning", "Empty: as output.")
    price_image = _dollars("per picture made", "Dollars for one.")
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
        more = (self.price_cache_read, self.price_cache_write, self.price_reasoning, self.price_image)
        return any(rate is not None for rate in more)

    def _price(self) -> Price | None:
        if self.price_input is None or self.price_output is None:
            return None
        return Price(
            input=rate_of(self.price_input),
            output=rate_of(self.price_output),
            cache_read=rate_of(self.price_cache_read),
            cache_write=rate_of(self.price_cache_write),
            reasoning=rate_of(self.price_reasoning),
            image=rate_of(self.price_image),
            source="console",
        )
