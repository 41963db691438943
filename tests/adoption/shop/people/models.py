from django.contrib.auth.models import AbstractUser
from django.db import models


class Person(AbstractUser):
    """Signs in with a username. Has a street and none of the fields of Trato's own people."""

    street = models.CharField(max_length=100, blank=True)
