# The portal with the interpreters of WebJobs; web, worker and beat are commands of this one image.
FROM python:3.13.9-slim-bookworm AS packages
WORKDIR /srv/portal
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --no-cache-dir -r requirements.txt

FROM python:3.13.9-slim-bookworm
# What WebJobs are written in; leave out what yours are not.
RUN apt-get update \
    && apt-get install -y --no-install-recommends default-jre-headless nodejs php-cli \
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
USER portal
VOLUME /data
EXPOSE 8000
# Alone it is the whole portal, with its own broker and SQLite in /data.
CMD ["python", "manage.py", "up"]
