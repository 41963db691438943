from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("goods.urls")),
    # trato
    path("", include("messaging.urls")),
    # end
    path("door/", include("django.contrib.auth.urls")),
    path("admin/", admin.site.urls),
]
