# rankmill for CPUs: Node.js, ONNX Runtime, the tokenizer and one bundled program on an empty base.
#
#   docker build -f docker/cpu.Dockerfile -t rankmill:cpu .
#   docker buildx build --platform linux/amd64,linux/arm64 -f docker/cpu.Dockerfile .
#
# No shell, package manager, compiler or npm is in the image; no model but the builtin one.

# For the same bytes every time give it with its digest: node:24.21.0-bookworm-slim@sha256:…
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS application
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY LICENSE tsconfig.json tsconfig.build.json ./
COPY src src
COPY workers workers
COPY producers producers
COPY models models
COPY docker/image docker/image
# amd64 or arm64. Builders that know what they build for set it; without one, the builder's own.
ARG TARGETARCH
# The timestamp of every file in the image, in seconds since 1970.
ARG SOURCE_DATE_EPOCH=0
RUN npm run build \
 && npx tsx docker/image/main.ts /out "${TARGETARCH:-$(dpkg --print-architecture)}" \
 && chmod -R u=rwX,go=rX /out \
 && find /out -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

FROM ${NODE_IMAGE} AS runtime
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
COPY docker/image/runtime.sh /
COPY --from=application /out/native /native
ARG SOURCE_DATE_EPOCH=0
RUN sh /runtime.sh /out /native \
 && find /out -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

FROM scratch
COPY --from=runtime /out/base/ /
COPY --from=runtime /out/node/ /
COPY --from=application /out/native/ /
COPY --from=application /out/app/ /

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="rankmill" \
      org.opencontainers.image.description="Bulk cross-encoder reranking as durable jobs: worker and command line for CPUs" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# ONNX Runtime sends telemetry on Linux unless told not to before it loads.
ENV PATH=/usr/local/bin \
    NODE_ENV=production \
    ORT_DISABLE_TELEMETRY=1 \
    RANKMILL_MODELS_DIR=/models \
    XDG_CACHE_HOME=/cache \
    RANKMILL_HEALTH_FILE=/tmp/rankmill-health.json \
    RANKMILL_METRICS_HOST=0.0.0.0 \
    RANKMILL_METRICS_PORT=9464

# /metrics, /healthz and /readyz of a worker or runner.
EXPOSE 9464
USER 65532:65532
STOPSIGNAL SIGTERM
# The worker's own report, its progress included: the answer of `rankmill health`, from a file
# that loads in a sixth of the time. The grace is for a large model that is prepared at first start.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
  CMD ["/app/workers/health.js"]
ENTRYPOINT ["/usr/local/bin/rankmill"]
CMD ["worker"]
