"""Prices as people read them."""

from decimal import Decimal

from django.db import models
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext


class Currency(models.TextChoices):
    EUR = "EUR", _("Euro (€)")
    GBP = "GBP", _("Pound sterling (£)")
    USD = "USD", _("US dollar ($)")
    CHF = "CHF", _("Swiss franc (CHF)")
    MXN = "MXN", _("Mexican peso (MX$)")


SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "CHF": "CHF", "MXN": "MX$"}


def format_price(price: Decimal, currency: str) -> str:
    """“€ 1,340” in English, “1 340 €” in Spanish. Cents only where there are any."""
    price = Decimal(price)
    decimals = 0 if price == price.to_integral_value() else 2
    return pgettext("price", "%(symbol)s %(amount)s") % {
        "symbol": SYMBOLS.get(currency, currency),
        "amount": number_format(price, decimal_pos=decimals, force_grouping=True),
    }
