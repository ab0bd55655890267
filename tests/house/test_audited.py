"""Every table is audited or stands here with the reason why not, and nothing writes to an audited one unheard."""

import ast

from django.apps import apps

from accounts.audited import Audited
from tests.house import files

APPS = ("accounts", "oauth", "routing", "analytics", "console")
UNAUDITED = {
    "accounts.auditentry": "it is the audit",
    "accounts.audithead": "it is the audit",
    "accounts.ledgerentry": "what calls were charged: a record of its own, only added to",
    "accounts.limitwindow": "the ledger's sums",
    "accounts.answered": "answers to changes, which are audited themselves",
    "accounts.hold": "what running calls may cost",
    "oauth.pendinglogin": "sign-ins under way, kept for a day; the account that one leads to is audited",
    "routing.catalogmodel": "what providers list, by itself",
    "routing.catalogstate": "when that was looked at, by itself",
    "routing.configrevision": "a number that every change raises",
    "routing.keptrest": "health, by itself",
    "routing.quotastanding": "what accounts have left, by itself",
    "routing.priceversion": "prices that calls were priced by, never changed",
    "analytics.alert": "what rules found, by themselves",
    "analytics.requestbody": "what calls said, by themselves; reading it is audited",
    "analytics.requestlog": "the record of calls",
    "analytics.requestattempt": "the record of calls",
    "analytics.calltag": "adding and removing is noted by tags.py; they go with their calls, unheard",
    "analytics.usagerollup": "sums of that record",
    "analytics.rollupdue": "sums of that record",
    "analytics.recordloss": "what is missing in that record",
}
# Writes to audited tables that pass no row's `save`: file, table, and why that may be.
UNHEARD = {
    ("accounts/keys.py", "ApiKey", "update"): "when keys were last used is no change",
    ("oauth/leases.py", "Credential", "update"): "tokens that renew themselves are no change of anybody's",
    ("oauth/scan.py", "OAuthAccount", "update"): "forgetting that renewals failed changes nothing",
    ("routing/rows.py", "ProviderSetting", "bulk_create"): "a row of a provider that says nothing yet",
}
NOT_IN_FILES = {
    "accounts.admissionentry": "who may come in belongs to an installation, like its operators",
    "accounts.operator": "people, with passwords; a file names them only where it gives them roles",
    "oauth.oauthaccount": "who signed in to what belongs to an installation; tokens are in no file",
    "analytics.alertrule": "whom to wake belongs to an installation; a file is read on a floor below it",
}
BULK = {"update", "bulk_create", "bulk_update", "_raw_delete", "aupdate", "abulk_create", "abulk_update"}


def test_every_table_is_audited_or_says_why_not():
    ours = {model for model in apps.get_models() if model._meta.app_label in APPS and not model._meta.auto_created}
    silent = {model._meta.label_lower for model in ours if not issubclass(model, Audited)}
    assert silent - UNAUDITED.keys() == set(), "let it inherit from accounts.audited.Audited, or say why not"
    assert UNAUDITED.keys() - silent == set()


def test_no_bulk_write_goes_by_the_audit():
    audited = {model.__name__ for model in apps.get_models() if issubclass(model, Audited)}
    found = {
        (name, root, call.func.attr)
        for name in files.python(tests=False)
        for call in ast.walk(ast.parse(files.text(name)))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in BULK
        if (root := root_of(call.func.value)) in audited
    }
    assert found == UNHEARD.keys()


def root_of(node: ast.AST) -> str:
    """Return the name with which a chain of calls and attributes begins, if `objects` follows it."""
    chain = []
    while isinstance(node, ast.Attribute | ast.Call):
        if isinstance(node, ast.Attribute):
            chain.append(node.attr)
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return node.id if isinstance(node, ast.Name) and chain and chain[-1].endswith(("objects", "_manager")) else ""


def test_every_audited_table_is_in_configuration_files_or_says_why_not():
    from routing.config.tables import TABLES

    tables = (model._meta for model in apps.get_models() if issubclass(model, Audited))
    audited = {meta.label_lower for meta in tables if not meta.proxy}
    missing = audited - {table.model._meta.label_lower for table in TABLES}
    assert missing == NOT_IN_FILES.keys()
