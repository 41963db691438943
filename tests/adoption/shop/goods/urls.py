from django.urls import path

from goods import views

app_name = "goods"
urlpatterns = [
    path("", views.shelf, name="shelf"),
    path("goods/<str:code>/", views.product, name="product"),
]
