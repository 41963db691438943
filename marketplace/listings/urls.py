from django.urls import path

from marketplace.listings import views

app_name = "listings"
urlpatterns = [
    path("", views.browse, name="browse"),
    path("listings/<slug:slug>/", views.detail, name="detail"),
    path("sell/", views.selling, name="selling"),
    path("sell/new/", views.create, name="create"),
    path("sell/<slug:slug>/", views.edit, name="edit"),
    path("sell/<slug:slug>/state/", views.state, name="state"),
]
