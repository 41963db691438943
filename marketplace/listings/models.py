"""Things for sale and their photos."""

from typing import ClassVar

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from marketplace.listings.prices import Currency, format_price


class Listing(models.Model):
    class State(models.TextChoices):
        AVAILABLE = "available", _("Available")
        RESERVED = "reserved", _("Reserved")
        SOLD = "sold", _("Sold")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    OFFERED: ClassVar[tuple[State, ...]] = (State.AVAILABLE, State.RESERVED)

    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="listings", db_index=False
    )
    title = models.CharField(_("title"), max_length=120)
    slug = models.SlugField(max_length=140, unique=True, editable=False)
    text = models.TextField(_("description"), max_length=10_000)
    price = models.DecimalField(
        _("price"), max_digits=12, decimal_places=2, validators=[MinValueValidator(0)]
    )
    currency = models.CharField(
        _("currency"), max_length=3, choices=Currency.choices, default=Currency.EUR
    )
    state = models.CharField(
        _("state"), max_length=12, choices=State.choices, default=State.AVAILABLE
    )
    # The small size of the first photo, kept with the photos, so that a page of fifty
    # conversations about fifty listings shows their thumbnails without reading a photo row.
    thumbnail = models.CharField(max_length=100, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(price__gte=0), name="price_not_negative"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="listing_newest"),
            models.Index(fields=["seller", "-created_at", "-id"], name="listing_of_seller"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("listings:detail", args=[self.slug])

    @classmethod
    def for_messaging(cls) -> models.QuerySet["Listing"]:
        """Listings of which everything that messaging shows costs no further query."""
        return cls.objects.select_related("seller")

    @property
    def thumbnail_url(self) -> str:
        """Path of the small size of the first photo, "" without photos."""
        return default_storage.url(self.thumbnail) if self.thumbnail else ""

    @property
    def price_label(self) -> str:
        return format_price(self.price, self.currency)

    @property
    def state_label(self) -> str:
        return str(self.State(self.state).label)

    @property
    def can_be_asked(self) -> bool:
        return self.state in self.OFFERED


class Photo(models.Model):
    """One photo in its two sizes. The files have random names and never change."""

    listing = models.ForeignKey(
        Listing, on_delete=models.CASCADE, related_name="photos", db_index=False
    )
    position = models.PositiveSmallIntegerField()
    large = models.FileField(max_length=100)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    small = models.FileField(max_length=100)
    small_width = models.PositiveIntegerField()
    small_height = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering: ClassVar = ["position", "id"]
        indexes: ClassVar = [
            models.Index(fields=["listing", "position"], name="photo_of_listing"),
        ]

    def __str__(self) -> str:
        return str(self.large.name)
