"""The URL table of client paths, used by the slim handler alone; console paths are in proxx/urls.py."""

from django.urls import path

from proxx.api.app import api

urlpatterns = [path("", api.urls)]
