# rankmill with OpenVINO: the image for CPUs and, in a layer of their own, the libraries of OpenVINO that a CPU needs.
#
#   docker build -f docker/cpu.Dockerfile -t rankmill:cpu .
#   docker build -f docker/openvino.Dockerfile -t rankmill:openvino .
#   docker run -e REDIS_URL=… -e RANKMILL_MODEL=… -e RANKMILL_PRECISION=bf16 rankmill:openvino

ARG RANKMILL_IMAGE=rankmill:cpu
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

# hadolint ignore=DL3006
FROM ${RANKMILL_IMAGE} AS application

FROM ${NODE_IMAGE} AS libraries
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*
# The index that pip asks, for builds behind a mirror.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
COPY --from=application / /root-of-image/
# The timestamp of every file in the image, in seconds since 1970.
ARG SOURCE_DATE_EPOCH=0
# 59 MB, by the program that is in the image; the loader must find every library that they name.
RUN folder=/out/usr/local/lib/rankmill-openvino \
 && node /root-of-image/app/producers/cli/main.js setup openvino --openvino-dir "$folder" \
 && ! ldd "$folder"/lib*.so* | grep "not found" \
 && chmod -R u=rwX,go=rX /out \
 && find /out -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

# hadolint ignore=DL3006
FROM ${RANKMILL_IMAGE}
COPY --from=libraries /out/ /

LABEL org.opencontainers.image.description="Bulk cross-encoder reranking as durable jobs: worker and command line for CPUs, with OpenVINO"

# RANKMILL_PRECISION=bf16 or RANKMILL_RUNTIME=openvino makes use of it.
ENV RANKMILL_OPENVINO_DIR=/usr/local/lib/rankmill-openvino
