# Not yet built: no engine was at hand. Its RUN lines, and the entrypoint as user 10001, were run in a new root of Debian 12
# that had Python 3.11 and no git.
# The release workflow names the base by its digest.
ARG BASE=python:3.11-slim
FROM ${BASE} AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/cio-mcp \
    && /opt/cio-mcp/bin/pip install --no-cache-dir --require-hashes --no-deps --requirement .ci/requirements.txt \
    && /opt/cio-mcp/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM ${BASE}
COPY --from=build /opt/cio-mcp /opt/cio-mcp
RUN useradd --create-home --uid 10001 cio \
    && install --directory --owner=cio --mode=0700 /home/cio/.local/state/cio-mcp
ENV PATH=/opt/cio-mcp/bin:$PATH PYTHONUNBUFFERED=1 XDG_STATE_HOME=/home/cio/.local/state
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# Without CIO_TOKENS_FILE it refuses to start: it would listen on more than loopback.
ENTRYPOINT ["cio-mcp"]
CMD ["serve", "--host", "0.0.0.0"]
