"""The console's look and sidebar, as data for django-unfold."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static

Callback = Callable[[HttpRequest], Any]

CONSOLE = "/console/"
RULES = f"{CONSOLE}routing/policyrule/"
EXPLAIN = f"{RULES}explain/"


def _file(path: str) -> Callback:
    # A function, because the address of a static file is known only once its manifest can be read.
    return lambda request: static(path)


def _page(title: str, icon: str, model: str) -> dict[str, Any]:
    """Return one entry of the sidebar: a model's list, shown to those who may view it."""
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": f"{CONSOLE}{app}/{name}/",
        "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
    }


def _dashboard(title: str, icon: str, name: str, table: str = "analytics.usagerollup") -> dict[str, Any]:
    """Return one entry that leads to a dashboard, shown to those who may view that table."""
    app, model = table.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": f"{CONSOLE}dashboards/{name}/",
        "permission": lambda request: request.user.has_perm(f"{app}.view_{model}"),
    }


def _tabs(*pages: tuple[str, str]) -> dict[str, Any]:
    """Return a row of tabs: lists that belong together, each by title and model."""
    return {"models": [model for _, model in pages], "items": [_page(title, "", model) for title, model in pages]}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "proxx",
    "SITE_HEADER": "proxx",
    "SITE_SUBHEADER": "Model gateway",
    "SITE_URL": None,
    "SITE_ICON": _file("console/mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "sizes": "any", "href": _file("console/favicon.svg")}],
    "STYLES": [_file("console.css"), _file("console_route.css"), _file("console_signin.css"), _file("console_api.css")],
    "GLOBAL_CALLBACK": "proxx.console.tenants.offered",
    "DASHBOARD_CALLBACK": "analytics.dashboard.numbers",
    "LOGIN": {"image": _file("console/signin.svg")},
    "ACCOUNT": {
        "navigation": [
            {"title": "My sign-in", "link": f"{CONSOLE}account/"},
            {"title": "Control API", "link": f"{CONSOLE}api/"},
            {"title": "Change password", "link": f"{CONSOLE}password_change/"},
        ]
    },
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180.720)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91.0% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(70.4% .140 182.503)",
            "600": "oklch(54.0% .096 186.000)",
            "700": "oklch(48.0% .086 188.000)",
            "800": "oklch(43.7% .078 188.216)",
            "900": "oklch(38.6% .063 188.416)",
            "950": "oklch(27.7% .046 192.524)",
        },
    },
    "TABS": [
        _tabs(("Rules", "analytics.alertrule"), ("What was raised", "analytics.alert")),
        _tabs(
            ("Listed by providers", "routing.catalogmodel"),
            ("Facts and prices", "routing.factsetting"),
            ("Aliases and preferences", "routing.modelpreference"),
            ("Exclusions", "routing.modelexclusion"),
        ),
    ],
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    _dashboard("Overview", "monitoring", "overview"),
                    {
                        "title": "Live",
                        "icon": "sensors",
                        "link": CONSOLE,
                        "active": lambda request: request.path == CONSOLE,
                    },
                    _page("Requests", "swap_vert", "analytics.requestlog"),
                    _page("Alerts", "notifications", "analytics.alertrule"),
                ],
            },
            {
                "title": "Dashboards",
                "separator": True,
                "items": [
                    _dashboard("Traffic", "bar_chart", "traffic"),
                    _dashboard("Cost", "payments", "cost"),
                    _dashboard("Models and providers", "compare_arrows", "models"),
                    _dashboard("Accounts and quota", "battery_charging_50", "accounts", "accounts.credential"),
                    _dashboard("Errors", "error", "errors"),
                    _dashboard("Prompt caches", "cached", "cache"),
                ],
            },
            {
                "title": "Who calls",
                "separator": True,
                "items": [
                    _page("Keys", "key", "accounts.apikey"),
                    _page("Tenants", "domain", "accounts.tenant"),
                    _page("Members", "group", "accounts.membership"),
                    _page("Tenant settings", "settings", "accounts.tenantsettings"),
                    _page("Profiles", "tune", "accounts.profile"),
                    _page("Listeners", "door_front", "routing.listener"),
                ],
            },
            {
                "title": "Where calls go",
                "separator": True,
                "items": [
                    _page("Credentials", "lock", "accounts.credential"),
                    _page("Quota wall", "view_module", "accounts.credential") | {"link": f"{CONSOLE}quota/"},
                    {
                        "title": "Connect an account",
                        "icon": "person_add",
                        "link": f"{CONSOLE}connect/",
                        "permission": lambda request: request.user.has_perm("accounts.add_credential"),
                    },
                    _page("Providers", "hub", "routing.providersetting"),
                    _page("Models", "neurology", "routing.catalogmodel"),
                    # The list of models leads there, too; who may see prices only has no such list.
                    _page("Facts and prices", "payments", "routing.factsetting")
                    | {
                        "permission": lambda request: (
                            request.user.has_perm("routing.view_factsetting")
                            and not request.user.has_perm("routing.view_catalogmodel")
                        )
                    },
                    _page("Rules", "rule", "routing.policyrule")
                    | {"active": lambda request: RULES in request.path and EXPLAIN not in request.path},
                    {
                        "title": "Explain a route",
                        "icon": "alt_route",
                        "link": EXPLAIN,
                        "permission": lambda request: request.user.has_perm("routing.view_policyrule"),
                    },
                ],
            },
            {
                "title": "This console",
                "separator": True,
                "items": [
                    _page("Operators", "badge", "accounts.operator"),
                    _page("Who may sign in", "how_to_reg", "accounts.admissionentry"),
                    _page("Audit", "history", "accounts.auditentry"),
                ],
            },
        ],
    },
}
