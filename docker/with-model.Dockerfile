# An image with its model inside, in a layer of its own: for hosts that can mount nothing.
#
#   rankmill models pull ms-marco-MiniLM-L6-v2 --models-dir ./baked
#   docker build -f docker/with-model.Dockerfile --build-arg MODEL=ms-marco-MiniLM-L6-v2 -t reranker ./baked
#
# The context is the folder of models itself, as `models pull` leaves it or as one of your own:
# everything in it goes into the image. A folder that was not pulled is named by its path there:
# MODEL=/models/my-reranker.

ARG RANKMILL_IMAGE=rankmill:cpu
FROM ${RANKMILL_IMAGE}
# Readable for all, owned by root: the worker cannot change its model's files.
COPY --chown=0:0 . /models/
ARG MODEL
ENV RANKMILL_MODEL=${MODEL}
