"""Settings of the marketplace. Everything that differs between places comes from the environment;
the names are those of docs/operations.md."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext_lazy as _

from marketplace import environment, logs, redis_urls

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = environment.directory("DATA_DIR", BASE_DIR / "var")

# --- Safety -------------------------------------------------------------------------------------
DEBUG = environment.flag("DEBUG")
SECRET_KEY = environment.secret("SECRET_KEY", is_safe_place=DEBUG)
SECRET_KEY_FALLBACKS = environment.secrets("SECRET_KEY_FALLBACKS", is_safe_place=DEBUG)
SITE_URL = environment.site_url("SITE_URL", "http://localhost:8000" if DEBUG else "", debug=DEBUG)
SECURE = SITE_URL.startswith("https://")
ALLOWED_HOSTS = environment.host_names(
    "ALLOWED_HOSTS", ["localhost", "127.0.0.1"] if DEBUG else [], site=SITE_URL
)
MESSAGING_ALLOWED_ORIGINS = environment.origins("ALLOWED_ORIGINS", SITE_URL)
CSRF_TRUSTED_ORIGINS = MESSAGING_ALLOWED_ORIGINS
# Without a proxy nothing that a client says of its address or of its scheme is believed.
ALLAUTH_TRUSTED_PROXY_COUNT = environment.proxies("TRUSTED_PROXY_COUNT", is_https=SECURE)
if ALLAUTH_TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

if SECURE:
    # No other host, not even one below ours, can set cookies of such names.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = ["^health/", "^metrics/"]  # Asked for from inside, without TLS.
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_HANDLERS = [
    "marketplace.listings.uploads.BoundedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
CSRF_FAILURE_VIEW = "marketplace.errors.csrf_failure"

# --- Apps and pages -----------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "marketplace.admin_config.HeldAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "lucide",
    "accounts",
    "marketplace.listings",
    "marketplace.privacy",
    "marketplace.operating",
    "messaging",
    "notifications",
]
MIDDLEWARE = [
    "marketplace.operating.access_log.AccessLogMiddleware",
    "marketplace.debug_pages.RefusalsInDebugMiddleware",
    "marketplace.content_security.ContentSecurityMiddleware",
    "marketplace.one_thread.SecurityMiddleware",
    "marketplace.operating.inside.InsideMiddleware",
    "marketplace.hosts.KnownHostMiddleware",
    "marketplace.static_files.StaticFilesMiddleware",
    # From here on in one thread. These two have had their say further out; Django's checks look for
    # their names.
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.PreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "marketplace.errors.ReadableRequestMiddleware",
    "marketplace.errors.RefusalPagesMiddleware",
    "accounts.middleware.LastSeenMiddleware",
    "marketplace.debug_pages.MissingPagesInDebugMiddleware",
    "marketplace.one_thread.InOneThreadMiddleware",  # Stays the last.
]
ROOT_URLCONF = "marketplace.urls"
ASGI_APPLICATION = "marketplace.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "messaging.context_processors.unread",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MESSAGING_LISTING_MODEL = "listings.Listing"
MESSAGING_BROWSE_URL = "listings:browse"
MESSAGING_SELLING_URL = "listings:selling"

# --- Database -----------------------------------------------------------------------------------
SQLITE_URL = f"sqlite:///{quote(str(DATA_DIR / 'trato.sqlite3'))}"
DATABASES: dict[str, dict[str, Any]] = {"default": environment.database("DATABASE_URL", SQLITE_URL)}
# For pages and tasks. The commands of manage.py set 0, which is no limit.
STATEMENT_SECONDS = environment.number("DATABASE_STATEMENT_SECONDS", 10)
DATABASES["default"]["CONN_MAX_AGE"] = 0  # Under ASGI a kept connection is a leaked one.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        # Without IMMEDIATE a transaction that reads first fails with “database is locked” as soon
        # as two run at once, whatever the timeout. FULL: an acknowledged row survives a power cut.
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA cache_size=-20000",
    }
else:
    from marketplace import database_deadlines

    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),
        **database_deadlines.KEEPALIVE,
        "connect_timeout": 3,
        "options": f"-c statement_timeout={STATEMENT_SECONDS:.0f}s -c lock_timeout=5s"
        " -c idle_in_transaction_session_timeout=30s",
        "pool": {
            "min_size": 1,
            "max_size": int(environment.number("DATABASE_POOL_SIZE", 20, least=2)),
            "timeout": 3,
            "connection_class": database_deadlines.choose_connection_class(STATEMENT_SECONDS),
        },
    }

# --- Redis: channel layer, cache, broker --------------------------------------------------------
REDIS_URL = environment.redis_url("REDIS_URL", debug=DEBUG)
CHANNEL_LAYERS = redis_urls.channel_layers(REDIS_URL)
CACHES = redis_urls.caches(REDIS_URL)
CELERY_BROKER_URL = redis_urls.broker_url(REDIS_URL)
SESSION_ENGINE = "marketplace.sessions"

# --- Messaging and notifications ----------------------------------------------------------------
MESSAGING_SEND_LIMITS = environment.send_limits("SEND_LIMITS", "10/5s,60/m")
MESSAGING_BUS_SHARDS = int(environment.number("BUS_SHARDS", 1, least=1, most=1_000_000))
MESSAGING_HEARTBEAT_SECONDS = environment.number("HEARTBEAT_SECONDS", 25, least=0.1, most=26)
MESSAGING_DRAIN_SECONDS = environment.number("DRAIN_SECONDS", 10, most=10)
MESSAGING_NOTIFY_DELAY_SECONDS = environment.number("NOTIFY_DELAY_SECONDS", 180)
MESSAGING_NOTIFY_CAP_SECONDS = environment.at_least(
    "NOTIFY_CAP_SECONDS",
    environment.number("NOTIFY_CAP_SECONDS", max(600, MESSAGING_NOTIFY_DELAY_SECONDS)),
    "NOTIFY_DELAY_SECONDS",
    MESSAGING_NOTIFY_DELAY_SECONDS,
)
NOTIFICATIONS_SITE_URL = SITE_URL

# --- Privacy: copies of people's data, what is kept how long ------------------------------------
PRIVACY_EXPORTS_ROOT = DATA_DIR / "exports"
PRIVACY_RETAIN_EXPORTS_DAYS = environment.days("RETAIN_EXPORTS_DAYS", 7, least=1)
PRIVACY_RETAIN_NOTIFICATIONS_DAYS = environment.days("RETAIN_NOTIFICATIONS_DAYS", 365)
PRIVACY_RETAIN_CLOSED_CONVERSATIONS_DAYS = environment.days("RETAIN_CLOSED_CONVERSATIONS_DAYS", 0)
PRIVACY_ERASE_TEXTS = environment.flag("ERASE_TEXTS")

# --- Logs and metrics ---------------------------------------------------------------------------
LOGGING = logs.logging_settings(
    environment.text("LOG_FORMAT", "text" if DEBUG else "json"),
    environment.text("LOG_LEVEL", "INFO"),
)
MESSAGING_METRICS_TOKEN = environment.token("METRICS_TOKEN")

# --- E-mail -------------------------------------------------------------------------------------
EMAIL_URL = environment.text("EMAIL_URL")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = environment.address(
    "DEFAULT_FROM_EMAIL", "" if SECURE else "Trato <trato@localhost.example>"
)
if EMAIL_URL:
    globals().update(environment.email_settings("EMAIL_URL"))
elif DEBUG:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"
else:
    environment.stop("EMAIL_URL is not set. For example smtp://user:password@host:587?tls=1.")

# --- People -------------------------------------------------------------------------------------
from marketplace.account_settings import *  # noqa: E402, F403

# --- Language, time, files ----------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "marketplace" / "static"]
STATIC_ROOT = BASE_DIR / environment.text("STATIC_DIR", str(DATA_DIR / "static"))
MEDIA_URL = "/media/"
MEDIA_ROOT = DATA_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "marketplace.static_files.HashedStaticFilesStorage"},
}
SERVESTATIC_USE_FINDERS = SERVESTATIC_AUTOREFRESH = False
SERVESTATIC_USE_MANIFEST = True
