"""Our own pages of an account. allauth's stand beside them, under the same path."""

from allauth.account.views import password_set
from django.urls import path

from accounts import views
from accounts.holding import committed_in_session

app_name = "accounts"
set_password = views.for_the_owner(committed_in_session(password_set))
urlpatterns = [
    path("", views.overview, name="overview"),
    path("profile/", views.profile, name="profile"),
    path("sessions/", views.sessions, name="sessions"),
    path("sessions/end-others/", views.end_other_sessions, name="end-other-sessions"),
    path("sessions/<int:session_id>/end/", views.end_one_session, name="end-session"),
    path("sign-in-again/", views.sign_in_again, name="sign-in-again"),
    path("password/set/", set_password),  # Stands before allauth's own.
    path("deactivate/", views.deactivate, name="deactivate"),
    path("oidc/<slug:provider_id>/login/", views.go_to_provider, name="go-to-provider"),
]
