"""The same weights in sentence-transformers, as its documentation has it for a language model.

Reads lines of JSON, each a list of pairs (query and document), and answers with seconds and logits.

    python test/bench/prefix/framework.py FOLDER THREADS TEMPLATE
"""

from __future__ import annotations

import json
import sys
import time

import torch
from sentence_transformers import CrossEncoder

BATCH = 32


def main() -> None:
    folder, threads, template = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    torch.set_num_threads(threads)
    # Whatever a library prints goes where people read; answers alone go to the bench.
    answers, sys.stdout = sys.stdout, sys.stderr
    encoder = CrossEncoder(
        folder,
        device="cpu",
        activation_fn=torch.nn.Identity(),
        model_kwargs={"torch_dtype": torch.float32},
        processor_kwargs={"chat_template": template},
        local_files_only=True,
    )

    def answer(value: object) -> None:
        print(json.dumps(value), file=answers, flush=True)

    answer({"attention": encoder.config._attn_implementation})
    for line in sys.stdin:
        pairs = [tuple(pair) for pair in json.loads(line)]
        started, worked = time.perf_counter(), time.process_time()
        logits = encoder.predict(pairs, batch_size=BATCH).tolist()
        seconds = time.perf_counter() - started
        took = time.process_time() - worked
        answer({"seconds": seconds, "processorSeconds": took, "logits": logits})


if __name__ == "__main__":
    main()
