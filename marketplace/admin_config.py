"""Apart from the site itself, which needs people: they are there only once all apps are."""

from django.contrib.admin.apps import AdminConfig


class HeldAdminConfig(AdminConfig):
    default_site = "marketplace.admin_site.HeldAdminSite"
