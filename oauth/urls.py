"""The addresses of signing in to providers: the console's pages, and where browsers come back to."""

from django.contrib import admin
from django.urls import path

from oauth.pages import callback, connect, flow

page = admin.site.admin_view  # only for who is signed in and may open the console

urlpatterns = [
    path("console/connect/", page(connect.providers_page), name="connect"),
    path("console/connect/back/", callback.back, name="connect_back"),
    path("console/connect/flow/<uuid:pk>/", page(flow.flow), name="connect_flow"),
    path("console/connect/flow/<uuid:pk>/state/", page(flow.state), name="connect_state"),
    path("console/connect/at/<slug:sign_in>/", page(connect.way_page), name="connect_way"),
    path("console/connect/at/<slug:sign_in>/begin/", page(connect.begin), name="connect_begin"),
    path("console/connect/at/<slug:sign_in>/bring/", page(connect.bring), name="connect_bring"),
    path("auth/callback", callback.arrive),
    path("auth/factory/callback", callback.arrive),
    path("api/ui/credentials/openai/oauth/browser/callback", callback.arrive),
    path("api/v1/credentials/openai/oauth/browser/callback", callback.arrive),
]
