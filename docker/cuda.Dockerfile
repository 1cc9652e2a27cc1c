# rankmill for NVIDIA GPUs: the image for CPUs and, in layers of their own, ONNX Runtime's CUDA provider
# with the libraries of NVIDIA's that it loads. The driver comes from the host.
#
#   docker build -f docker/cpu.Dockerfile -t rankmill:cpu .
#   docker build -f docker/cuda.Dockerfile -t rankmill:cuda .
#   docker run --gpus all -e REDIS_URL=… -e RANKMILL_MODEL=… rankmill:cuda
#
# amd64 only, as the provider is.

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
# 730 MB, fetched anew only if this list changes.
COPY docker/cuda/wheels.txt /wheels/
RUN pip3 download --no-cache-dir --no-deps --require-hashes --only-binary=:all: --python-version=3.12 \
      --platform=manylinux_2_28_x86_64 --platform=manylinux_2_27_x86_64 --platform=manylinux2014_x86_64 \
      --dest=/wheels --requirement=/wheels/wheels.txt
COPY --from=application / /root-of-image/
COPY docker/cuda/lay-out.sh /
# The timestamp of every file in the image, in seconds since 1970.
ARG SOURCE_DATE_EPOCH=0
RUN sh /lay-out.sh /root-of-image /wheels /out \
 && find /out -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

# hadolint ignore=DL3006
FROM ${RANKMILL_IMAGE}
COPY --from=libraries /out/nvidia/ /
COPY --from=libraries /out/provider/ /

LABEL org.opencontainers.image.description="Bulk cross-encoder reranking as durable jobs: worker and command line for NVIDIA GPUs"

# The driver's libraries are mounted into one of these folders; lanes put RANKMILL_CUDA_DIR before them.
ENV RANKMILL_DEVICE=cuda \
    RANKMILL_CUDA_DIR=/usr/local/lib/rankmill-cuda \
    LD_LIBRARY_PATH=/usr/local/nvidia/lib64:/usr/lib64 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
