"""What people type about listings."""

import re
import unicodedata
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from marketplace.listings.intake import PreparedPhoto, prepare_photo
from marketplace.listings.models import Listing, Photo
from marketplace.listings.services import MOST_PHOTOS
from messaging.text import has_endless_marks

# Control characters other than tab and line feed, and lone surrogates.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# What turns the direction of the text around it: a title stands in the middle of pages and mails.
TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean_text(value: str) -> str:
    """One kind of line end, no control characters, NFC. Raises ValidationError."""
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    printable = UNPRINTABLE.sub("", lines)
    if has_endless_marks(printable):
        raise ValidationError(_("There are more accents on one letter than can be shown."))
    return unicodedata.normalize("NFC", printable).strip()


def clean_title(value: str) -> str:
    """One line that leaves the direction of the text around it alone."""
    return " ".join(clean_text(TURNING.sub("", value)).split())


class PhotosInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """Several files in one field; its value is a list of photos in their two sizes."""

    widget = PhotosInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        files = [file for file in data or [] if file]
        if len(files) > MOST_PHOTOS:
            raise ValidationError(
                _("A listing has at most %(most)s photos.") % {"most": MOST_PHOTOS}
            )
        photos: list[PreparedPhoto] = []
        problems: list[ValidationError] = []
        for file in files:
            try:
                photos.append(self.prepare(file))
            except ValidationError as problem:
                problems.append(name_file(file, problem))
        if problems:
            raise ValidationError(problems)
        return photos

    def prepare(self, file: "UploadedFile[Any]") -> PreparedPhoto:
        super().clean(file)
        return prepare_photo(file, size=file.size or 0)


def name_file(file: "UploadedFile[Any]", problem: ValidationError) -> ValidationError:
    """The sentence with the name of the file before it: there may be eight of them."""
    return ValidationError(
        "%(name)s: %(sentence)s",
        params={"name": str(file.name)[:80], "sentence": problem.messages[0]},
    )


class ListingForm(forms.ModelForm):  # type: ignore[type-arg]
    photos = PhotosField(
        label=_("Photos"),
        required=False,
        widget=PhotosInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
    remove = forms.ModelMultipleChoiceField(queryset=Photo.objects.none(), required=False)

    class Meta:
        model = Listing
        fields = ("title", "text", "price", "currency")
        widgets: ClassVar = {
            "text": forms.Textarea(attrs={"rows": 7}),
            "price": forms.NumberInput(attrs={"min": "0", "step": "0.01", "inputmode": "decimal"}),
        }
        help_texts: ClassVar = {
            "title": _("What it is, in a few words: “Touring bike, 54 cm”."),
            "text": _("Its condition, its size, what comes with it, where it can be seen."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Here, because filling a number in fixes the language of the sentence.
        self.fields["photos"].help_text = ngettext(
            "At most %(most)s photo of 10 MB: JPEG, PNG or WebP.",
            "At most %(most)s photos of 10 MB each, 40 MB at once: JPEG, PNG or WebP."
            " The first one is the cover.",
            MOST_PHOTOS,
        ) % {"most": MOST_PHOTOS}
        if self.instance.pk:
            photos: Any = self.fields["remove"]
            photos.queryset = self.instance.photos.all()

    def clean_title(self) -> str:
        title = clean_title(self.cleaned_data["title"])
        if not title:
            raise ValidationError(_("Give it a title."), code="required")
        if not any(character.isalnum() for character in title):
            raise ValidationError(_("Use at least one letter or digit."), code="characters")
        return title

    def clean_text(self) -> str:
        text = clean_text(self.cleaned_data["text"])
        if not text:
            raise ValidationError(_("Say something about it."), code="required")
        return text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kept = self.count_kept(cleaned.get("remove") or ())
        if kept + len(cleaned.get("photos") or ()) > MOST_PHOTOS:
            sentence = _("A listing has at most %(most)s photos.") % {"most": MOST_PHOTOS}
            self.add_error("photos", sentence)
        return cleaned

    def count_kept(self, removed: Any) -> int:
        return self.instance.photos.count() - len(removed) if self.instance.pk else 0


def make_price_field(label: Any, placeholder: Any) -> forms.DecimalField:
    widget = forms.NumberInput({"placeholder": placeholder, "min": "0", "inputmode": "decimal"})
    return forms.DecimalField(
        label=label, required=False, min_value=0, max_digits=12, decimal_places=2, widget=widget
    )


class BrowseForm(forms.Form):
    """The search of the first page. Whatever is not understood is ignored, and said so."""

    STATES: ClassVar = [
        ("", pgettext_lazy("filter", "On offer")),
        (Listing.State.AVAILABLE, pgettext_lazy("filter", "Available")),
        (Listing.State.RESERVED, pgettext_lazy("filter", "Reserved")),
        (Listing.State.SOLD, pgettext_lazy("filter", "Sold")),
    ]

    q = forms.CharField(label=_("Search"), required=False, max_length=200)
    price_from = make_price_field(_("Price from"), pgettext_lazy("price", "from"))
    price_to = make_price_field(_("Price to"), pgettext_lazy("price", "to"))
    state = forms.ChoiceField(label=_("State"), required=False, choices=STATES)

    def read_filters(self) -> dict[str, Any]:
        """The arguments of `selectors.browse_listings`. Call `is_valid` first."""
        given = self.cleaned_data
        state: str = given.get("state") or ""
        price_from: Decimal | None = given.get("price_from")
        price_to: Decimal | None = given.get("price_to")
        return {
            "words": given.get("q") or "",
            "price_from": price_from,
            "price_to": price_to,
            "states": (state,) if state else Listing.OFFERED,
        }
