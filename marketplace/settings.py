"""Settings of the marketplace. Everything that differs between places comes from the environment;
the names are those of docs/operations.md."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import dj_database_url
from django.utils.translation import gettext_lazy as _

from marketplace import environment, redis_urls

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = BASE_DIR / environment.text("DATA_DIR", "var")

# --- Safety -------------------------------------------------------------------------------------
DEBUG = environment.flag("DEBUG")
SECRET_KEY = environment.text("SECRET_KEY")
if not SECRET_KEY:
    environment.stop("SECRET_KEY is not set. Any 50 random characters, the same for every process.")
ALLOWED_HOSTS = environment.names("ALLOWED_HOSTS", ["localhost", "127.0.0.1"] if DEBUG else [])
if not ALLOWED_HOSTS:
    environment.stop("ALLOWED_HOSTS is not set. The host names of this marketplace, with commas.")
SITE_URL = environment.text("SITE_URL", "http://localhost:8000" if DEBUG else "").rstrip("/")
if not SITE_URL:
    environment.stop("SITE_URL is not set. The address people type, like https://market.example.")
SECURE = SITE_URL.startswith("https://")
MESSAGING_ALLOWED_ORIGINS = environment.names("ALLOWED_ORIGINS", [SITE_URL])
CSRF_TRUSTED_ORIGINS = [origin for origin in MESSAGING_ALLOWED_ORIGINS if "*" not in origin]

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
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
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "lucide",
    "accounts",
    "marketplace.listings",
    "messaging",
    "notifications",
]
MIDDLEWARE = [
    "marketplace.debug_pages.RefusalsInDebugMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "marketplace.static_files.StaticFilesMiddleware",
    "marketplace.content_security.ContentSecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.PreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "marketplace.errors.MethodNotAllowedMiddleware",
    "marketplace.debug_pages.MissingPagesInDebugMiddleware",
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

# --- Database -----------------------------------------------------------------------------------
DATABASE_URL = environment.text(
    "DATABASE_URL", f"sqlite:///{quote(str(DATA_DIR / 'trato.sqlite3'))}"
)
DATABASES: dict[str, dict[str, Any]] = {"default": {**dj_database_url.parse(DATABASE_URL)}}
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
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),
        "connect_timeout": 3,
        "options": "-c statement_timeout=10s -c lock_timeout=5s"
        " -c idle_in_transaction_session_timeout=30s",
        "pool": {
            "min_size": 1,
            "max_size": int(environment.number("DATABASE_POOL_SIZE", 20, least=2)),
            "timeout": 3,
        },
    }

# --- Redis: channel layer, cache, broker --------------------------------------------------------
REDIS_URL = environment.text("REDIS_URL")
if not REDIS_URL and not DEBUG:
    environment.stop("REDIS_URL is not set. For example redis://:password@127.0.0.1:6379/0.")
CHANNEL_LAYERS = redis_urls.channel_layers(REDIS_URL)
CACHES = redis_urls.caches(REDIS_URL)
CELERY_BROKER_URL = redis_urls.broker_url(REDIS_URL)
SESSION_ENGINE = "marketplace.sessions"

# --- Messaging and notifications ----------------------------------------------------------------
MESSAGING_SEND_LIMITS = environment.send_limits(environment.text("SEND_LIMITS", "10/5s,60/m"))
MESSAGING_HEARTBEAT_SECONDS = environment.number("HEARTBEAT_SECONDS", 25, least=0.1)
MESSAGING_DRAIN_SECONDS = environment.number("DRAIN_SECONDS", 10)
MESSAGING_NOTIFY_DELAY_SECONDS = environment.number("NOTIFY_DELAY_SECONDS", 180)
MESSAGING_NOTIFY_CAP_SECONDS = environment.number("NOTIFY_CAP_SECONDS", 600)
NOTIFICATIONS_SITE_URL = SITE_URL

# --- E-mail -------------------------------------------------------------------------------------
EMAIL_URL = environment.text("EMAIL_URL")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = environment.address("DEFAULT_FROM_EMAIL", "Trato <trato@localhost.example>")
if EMAIL_URL:
    globals().update(environment.email_settings(EMAIL_URL))
elif DEBUG:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"
else:
    environment.stop("EMAIL_URL is not set. For example smtp://user:password@host:587?tls=1.")

# --- People -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "listings:browse"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "signup": "accounts.forms.SignupForm",
    "confirm_email_verification_code": "accounts.forms.ConfirmCodeForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
    "add_email": "accounts.forms.AddEmailForm",
}
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Everybody knows this password: it opens these accounts in debug only.
DEMO_ADDRESSES = ("sol@example.com", "ana@example.com", "teo@example.com")
DEMO_PASSWORD = "trato-demo"  # noqa: S105

# --- Language, time, files ----------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "marketplace" / "static"]
STATIC_ROOT = DATA_DIR / "static"
MEDIA_URL = "/media/"
MEDIA_ROOT = DATA_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "marketplace.static_files.HashedStaticFilesStorage"},
}
SERVESTATIC_USE_FINDERS = SERVESTATIC_AUTOREFRESH = False
SERVESTATIC_USE_MANIFEST = True
