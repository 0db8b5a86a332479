# The portal with the interpreters of WebJobs; web, worker and beat are commands of this one image.
#
#   docker build .                               Java, Node.js and PHP beside Python and bash
#   docker build --build-arg DEBIAN_PACKAGES= .  Python, bash and git alone: 400 MB less
#   docker build --build-arg S3=1 .              packages may be in a bucket
FROM python:3.13.9-slim-bookworm AS packages
ARG S3=
WORKDIR /srv/portal
RUN python -m venv /opt/venv
COPY requirements.txt requirements-s3.txt ./
RUN /opt/venv/bin/pip install --no-cache-dir -r requirements.txt ${S3:+-r requirements-s3.txt}

FROM python:3.13.9-slim-bookworm
# Debian packages of what WebJobs are written in; leave out what yours are not.
ARG DEBIAN_PACKAGES="default-jre-headless nodejs php-cli"
# git and ssh fetch the repositories of source control.
RUN apt-get update \
    && apt-get install -y --no-install-recommends git openssh-client $DEBIAN_PACKAGES \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --create-home portal \
    && install -d -o portal -g portal /data /data/packages
COPY --from=packages /opt/venv /opt/venv
COPY . /srv/portal
WORKDIR /srv/portal
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    HOST=0.0.0.0
RUN python -m compileall -q manage.py portal webjobs
USER portal
# The static files as `serve` would collect them; the key is of this step alone.
RUN SECRET_KEY=unused DJANGO_SETTINGS_MODULE=portal.settings python -c \
    "import django; django.setup(); from portal.startup import collect_static; collect_static(print)"
VOLUME /data
EXPOSE 8000
# Alone it is the whole portal, with its own broker and SQLite in /data.
CMD ["python", "manage.py", "up"]
