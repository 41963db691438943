"""Our own pages of an account. allauth's stand beside them, under the same path."""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("profile/", views.profile, name="profile"),
    path("sessions/", views.sessions, name="sessions"),
    path("sessions/end-others/", views.end_other_sessions, name="end-other-sessions"),
    path("sessions/<int:session_id>/end/", views.end_one_session, name="end-session"),
    path("deactivate/", views.deactivate, name="deactivate"),
    path("oidc/<slug:provider_id>/login/", views.go_to_provider, name="go-to-provider"),
]
