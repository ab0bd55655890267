"""Every URL prefix of the Django side, on one page: the console and the control API.

Client paths are not here: proxx/asgi.py sends them to the slim handler, which has its own routes (proxx/api).
"""

from functools import partial

from django.contrib import admin
from django.urls import include, path

from analytics import repricing_page
from proxx.api.control import app as control
from proxx.api.control import page as control_page
from proxx.console import tenants, views
from proxx.console.dashboards import views as dashboards
from proxx.console.wall import views as wall

urlpatterns = [
    path("", views.front_door),
    path("favicon.ico", views.favicon),
    path("console/", include("accounts.signin.urls")),
    path("console/active-tenant/", admin.site.admin_view(tenants.select), name="active_tenant"),
    path("console/api/", admin.site.admin_view(partial(control_page.page, site=admin.site)), name="control-page"),
    path("console/", include(dashboards.urls(admin.site))),
    path("console/quota/", admin.site.admin_view(partial(wall.page, site=admin.site)), name=wall.NAME),
    path(
        "console/quota/credits/",
        admin.site.admin_view(partial(wall.credits_page, site=admin.site)),
        name=wall.CREDITS,
    ),
    path(
        "console/prices/again/",
        admin.site.admin_view(partial(repricing_page.page, site=admin.site)),
        name=repricing_page.NAME,
    ),
    path("", include("oauth.urls")),
    path("console/", admin.site.urls),
    path("", include((control.urlpatterns, "control"))),
]
