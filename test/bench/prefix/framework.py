"""The same weights in transformers, as sentence-transformers runs a cross-encoder: sorted, batches of 32.

Reads lines of JSON, each a list of pairs (token ids), and answers with seconds and logits. Of the last layer's
output it multiplies one token with one row of weights, as a sequence classifier does.

    python test/bench/prefix/framework.py FOLDER THREADS YES NO
"""

from __future__ import annotations

import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM

BATCH = 32


def main() -> None:
    folder, threads, yes, no = sys.argv[1], *(int(one) for one in sys.argv[2:5])
    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32).eval()
    row = (model.lm_head.weight[yes] - model.lm_head.weight[no]).detach().clone()
    print(json.dumps({"attention": model.config._attn_implementation}), flush=True)
    for line in sys.stdin:
        pairs = json.loads(line)
        started, worked = time.perf_counter(), time.process_time()
        logits = score(model.model, row, pairs)
        seconds = time.perf_counter() - started
        took = time.process_time() - worked
        answer = {"seconds": seconds, "processorSeconds": took, "logits": logits}
        print(json.dumps(answer), flush=True)


def score(model: torch.nn.Module, row: torch.Tensor, pairs: list[list[int]]) -> list[float]:
    order = sorted(range(len(pairs)), key=lambda index: -len(pairs[index]))
    logits = [0.0] * len(pairs)
    with torch.inference_mode():
        for start in range(0, len(order), BATCH):
            some = order[start : start + BATCH]
            longest = max(len(pairs[index]) for index in some)
            ids = torch.zeros(len(some), longest, dtype=torch.int64)
            mask = torch.zeros_like(ids)
            for at, index in enumerate(some):
                ids[at, : len(pairs[index])] = torch.tensor(pairs[index])
                mask[at, : len(pairs[index])] = 1
            states = model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
            last = states[torch.arange(len(some)), mask.sum(dim=1) - 1]
            for index, logit in zip(some, (last @ row).tolist(), strict=True):
                logits[index] = logit
    return logits


if __name__ == "__main__":
    main()
