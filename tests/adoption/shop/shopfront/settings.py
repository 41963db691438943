"""A shop that was there before: plain Django, its own people, its own goods."""

import os
from pathlib import Path

import dj_database_url

# trato
from notifications.schedule import BEAT_SCHEDULE

# end

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ["SHOP_DATA"])
SITE = os.environ.get("SHOP_SITE", "http://testserver")
REDIS = os.environ["SHOP_REDIS"]

SECRET_KEY = os.environ["SHOP_SECRET"]
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "people",
    "goods",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "shopfront.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
DATABASES = {"default": {**dj_database_url.parse(os.environ["SHOP_DATABASE"])}}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL",
    }
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "tests.sqlite3")}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS},
}
CELERY_BROKER_URL = os.environ["SHOP_BROKER"]

AUTH_USER_MODEL = "people.Person"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "goods:shelf"
DEFAULT_FROM_EMAIL = "Corner Shop <shop@corner.example>"
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ.get("SHOP_SMTP", "9"))
EMAIL_TIMEOUT = 10
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"

# trato
INSTALLED_APPS += ["lucide", "messaging", "notifications"]
TEMPLATES[0]["OPTIONS"]["context_processors"] += ["messaging.context_processors.unread"]
ASGI_APPLICATION = "shopfront.asgi.application"
PUBSUB = "messaging.redis_layer.RedisPubSubChannelLayer"
LAYER = {"address": REDIS, "socket_timeout": 15, "socket_connect_timeout": 2}
CHANNEL_LAYERS = {"default": {"BACKEND": PUBSUB, "CONFIG": {"hosts": [LAYER]}}}
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
MESSAGING_LISTING_MODEL = "goods.Product"
MESSAGING_LISTING_SLUG_FIELD = "code"
MESSAGING_ALLOWED_ORIGINS = [SITE]
NOTIFICATIONS_SITE_URL = SITE
# end
