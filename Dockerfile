# Two stages: what is needed to build stays in the first. Nothing in the second is written to while
# it runs: data goes to the volume at /data, temporary files to whatever is mounted at /var/tmp.
FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1
RUN python -m venv /opt/trato
ENV PATH=/opt/trato/bin:$PATH
COPY requirements/runtime.txt /tmp/runtime.txt
RUN pip install --require-hashes --only-binary :all: -r /tmp/runtime.txt
WORKDIR /srv/trato
COPY manage.py celery_app.py ./
COPY accounts accounts
COPY locale locale
COPY marketplace marketplace
COPY messaging messaging
COPY notifications notifications
COPY templates templates
ENV STATIC_DIR=/srv/trato/static
# DEBUG only here, so that collecting asks for no secret and no database.
RUN python -m marketplace.translations \
    && DEBUG=1 SECRET_KEY=while-building DATA_DIR=/tmp/data python manage.py collectstatic --noinput \
    && python -m compileall -q -j 0 /opt/trato /srv/trato

FROM python:3.13-slim-bookworm
RUN groupadd --gid 10001 trato \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent trato \
    && install --directory --owner=10001 --group=10001 --mode=0750 /data
COPY --from=build /opt/trato /opt/trato
COPY --from=build /srv/trato /srv/trato
WORKDIR /srv/trato
ENV PATH=/opt/trato/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    STATIC_DIR=/srv/trato/static \
    TMPDIR=/var/tmp
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "marketplace.ask_health", "live"]
CMD ["python", "-m", "messaging.daphne", "-b", "0.0.0.0", "-p", "8000", "marketplace.asgi:application"]
