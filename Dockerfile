# Lamplight for servers that run containers. Models and data stay outside: /models and /data.
#
#   docker build -t lamplight:0.1.0 .
#
# Compiled for every processor with AVX2. For this very one: --build-arg CMAKE_ARGS=-DGGML_NATIVE=ON

FROM node:22.21-bookworm-slim AS pages
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-fund --no-audit --ignore-scripts
COPY web/assets web/assets
RUN npm run build

FROM python:3.11.14-slim-bookworm AS packages
RUN apt-get update \
    && apt-get install --no-install-recommends --yes build-essential cmake git \
    && rm -rf /var/lib/apt/lists/*
ARG CMAKE_ARGS="-DGGML_NATIVE=OFF -DGGML_LLAMAFILE=ON"
ENV CMAKE_ARGS=${CMAKE_ARGS} UV_NO_CACHE=1
RUN python -m venv /opt/lamplight && pip install --no-cache-dir uv==0.13.9
WORKDIR /src
COPY requirements.lock pyproject.toml ./
# Versions and digests from the lock, without what only the tests need.
RUN uv pip install --python /opt/lamplight/bin/python --constraint requirements.lock \
    --requirements pyproject.toml
COPY . .
COPY --from=pages /src/web/static/vendor web/static/vendor
RUN uv pip install --python /opt/lamplight/bin/python --no-deps .

FROM python:3.11.14-slim-bookworm
# libgomp: llama.cpp's threads. postgresql-client: `lamplight backup` copies the record with it.
RUN apt-get update \
    && apt-get install --no-install-recommends --yes libgomp1 postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home lamplight \
    && install --directory --owner lamplight --mode 0700 /data /models
COPY --from=packages /opt/lamplight /opt/lamplight
ENV PATH=/opt/lamplight/bin:$PATH \
    LAMPLIGHT_DATA=/data \
    LAMPLIGHT_MODELS=/models \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
VOLUME ["/data", "/models"]
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=120s --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
CMD ["lamplight", "up"]
