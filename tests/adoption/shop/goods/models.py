from django.conf import settings
from django.db import models
from django.urls import reverse


class Product(models.Model):
    """A thing on the shelf: the seller may be gone, there is no picture, the address is a code."""

    code = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=200)
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("goods:product", args=[self.code])
