"""What somebody signed in with, in words, and from where, without saying it exactly."""

import ipaddress

from django.utils.translation import gettext as _

# The first that is found counts: Edge calls itself Chrome, too, and Chrome Safari.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
# How much of an address says roughly where somebody is, and not who: a provider's region.
IPV4_KEPT = 2  # bytes
IPV6_KEPT = 2  # groups of two bytes


def describe_device(user_agent: str) -> str:
    """“Firefox on Windows”, as far as the browser tells."""
    browser = _find_name(user_agent, BROWSERS)
    system = _find_name(user_agent, SYSTEMS)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("a device that does not say what it is")


def _find_name(user_agent: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for sign, name in names if sign in user_agent), "")


def shorten_address(address: str) -> str:
    """“203.0.…” or “2001:db8:…”; empty for what is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return shorten_address(str(parsed.ipv4_mapped))
        groups = parsed.exploded.split(":")[:IPV6_KEPT]
        return ":".join(f"{int(group, 16):x}" for group in groups) + ":…"
    return ".".join(str(parsed).split(".")[:IPV4_KEPT]) + ".…"
