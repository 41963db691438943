"""A small Django project as tutorials make it: what people have who build chat themselves.

Faster than a tutorial leaves it where that costs a line: a pool of connections to the database,
room on the layer, as many connections to Redis as it asks for.
"""

import os

SECRET_KEY = "only-for-measuring-0123456789-0123456789-0123456789-0123456789"
DEBUG = False
ALLOWED_HOSTS = ["localhost"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "benchmarks.contenders",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "benchmarks.contenders.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["CONTENDERS_DATABASE"],
        "USER": "postgres",
        "HOST": os.environ["CONTENDERS_DATABASE_HOST"],
        "OPTIONS": {"pool": True},
    }
}
_LAYERS = {
    "core": "channels_redis.core.RedisChannelLayer",
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
}
_LAYER = os.environ.get("CONTENDERS_LAYER", "core")
# With redis-py 8 the core layer's pool ends at a hundred connections, and half of the sockets with
# it; and what does not fit into its capacity is dropped.
_HOST = {"address": os.environ["CONTENDERS_REDIS"], "max_connections": 10_000}
_CAPACITY = {"capacity": 100_000} if _LAYER == "core" else {}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": _LAYERS[_LAYER],
        "CONFIG": {"hosts": [_HOST], **_CAPACITY},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
