"""The pages of this app. People read their notifications in the mailbox so far."""

from django.urls import URLPattern

app_name = "notifications"
urlpatterns: list[URLPattern] = []
