"""Snapshot: an immutable picture of all configuration. A call keeps the one it began with for life."""

from routing.snapshot.building import build as build
from routing.snapshot.views import Catalog as Catalog
from routing.snapshot.views import CredentialView as CredentialView
from routing.snapshot.views import ListenerView as ListenerView
from routing.snapshot.views import ModelEntry as ModelEntry
from routing.snapshot.views import Snapshot as Snapshot
from routing.snapshot.views import TenantView as TenantView
