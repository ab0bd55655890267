"""Every URL prefix of the Django side, on one page: the console.

Client paths are not here: proxx/asgi.py sends them to the slim handler, which has its own routes (proxx/api).
"""

from django.contrib import admin
from django.urls import path

from proxx.console import views

urlpatterns = [
    path("", views.front_door),
    path("favicon.ico", views.favicon),
    path("console/", admin.site.urls),
]
