"""What the operator and the catalogues say about providers and models, where calls may enter, and the number that tells
when any of it changed.

Provider ids are plain text: a provider must not cost a migration. Saving what the operator says raises the revision by
signals (wiring.py); the catalogue's bulk writes raise it themselves, and only if a list changed.
"""

from routing.models.catalog import CatalogModel as CatalogModel
from routing.models.catalog import CatalogState as CatalogState
from routing.models.facts import FactSetting as FactSetting
from routing.models.listener import Listener as Listener
from routing.models.names import ModelExclusion as ModelExclusion
from routing.models.names import ModelPreference as ModelPreference
from routing.models.price import PriceVersion as PriceVersion
from routing.models.quota import QuotaStanding as QuotaStanding
from routing.models.rest import KeptRest as KeptRest
from routing.models.rules import PolicyRule as PolicyRule
from routing.models.wishes import ConfigRevision as ConfigRevision
from routing.models.wishes import ProviderSetting as ProviderSetting
