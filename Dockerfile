# proxx in a container: locked packages, no root, nothing written outside /data.
#   docker build -t proxx . && docker run -p 127.0.0.1:8789:8789 -v proxx:/data proxx
# runs everything in one container, as `make run` does; compose.yaml runs the parts separately.

FROM python:3.11-slim AS packages
# --build-arg OTEL=yes adds what OTEL_EXPORTER_OTLP_ENDPOINT needs.
ARG OTEL=no
COPY requirements/base.txt requirements/uvicorn.txt requirements/otel.txt /
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /uvicorn.txt \
 && if [ "$OTEL" = yes ]; then \
      /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /otel.txt; \
    fi

FROM python:3.11-slim
RUN groupadd --gid 10001 proxx \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin proxx \
 && install -d -o proxx -g proxx -m 700 /data
COPY --from=packages /venv /venv
WORKDIR /app
COPY . .
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PROXY_HOST=0.0.0.0 \
    PROXY_PORT=8789 \
    PROXY_DATA_DIR=/data \
    PROXX_ENV_FILE=/data/.env
RUN python -m compileall -q proxx accounts oauth routing analytics \
 && python -m proxx.prepare static
USER proxx
VOLUME /data
EXPOSE 8789
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PROXY_PORT\"]}/health', timeout=4)"]
CMD ["python", "-m", "proxx.run"]
