"""What allauth would show in the console and we do not: second factors, sessions and identities.

They have pages of their own. Its change forms would show secrets, and let one operator take over another's sign-in.
"""

from importlib import import_module

from django.apps import apps
from django.contrib import admin

NOT_LISTED = ("account", "usersessions", "mfa", "socialaccount")

for app in NOT_LISTED:
    if apps.is_installed(f"allauth.{app}"):
        import_module(f"allauth.{app}.admin")
        models = apps.get_app_config(app).get_models()
        admin.site.unregister([model for model in models if admin.site.is_registered(model)])
