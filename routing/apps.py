"""The routing app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RoutingConfig(AppConfig):
    """Providers and models."""

    name = "routing"
    verbose_name = "Where calls go"

    def ready(self) -> None:
        """Hear every change of configuration, and give each shipped provider its row in the console."""
        from routing import quota_share, rows, wiring

        wiring.connect()
        quota_share.follow_secrets()
        post_migrate.connect(rows.lay_out, sender=self, dispatch_uid="routing-provider-rows")
