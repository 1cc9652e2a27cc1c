"""One peer with its model loaded, as its documentation uses it: reads a line per workload, answers with scores.

    python peer.py --peer NAME --model FOLDER_OR_FILE --threads N --max-length TOKENS

The first line it prints says that it is ready. Every line it reads is a list of jobs, each with a query
and documents; the answer has the seconds of scoring all of them and a list of logits per job.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

Pairs = list[tuple[str, str]]
Score = Callable[[Pairs], list[float]]

# The best of 1, 8, 32 and 64 for every peer, at lengths of 180 and 400 tokens.
BATCH_SIZE = 8
# It pads nothing, and attention in a batch reaches over all its pairs before it is masked.
# Of bge-reranker-base's shape, eight pairs took 7.8 s of processor one by one and 11.8 s in fours.
LLAMA_BATCH_SIZE = 1
CALIBRATION_PAIRS = 32


def limit_torch(options: argparse.Namespace) -> None:
    """For the peers that use torch: the others need neither the time nor the memory of its import."""
    import torch

    torch.set_num_threads(options.threads)


def sentence_transformers(options: argparse.Namespace, backend: str, **model: object) -> Score:
    import torch
    from sentence_transformers import CrossEncoder

    limit_torch(options)
    encoder = CrossEncoder(
        str(options.model),
        backend=backend,
        max_length=options.max_length,
        model_kwargs=model,
        device="cpu",
        activation_fn=torch.nn.Identity(),
        local_files_only=True,
    )
    return lambda pairs: encoder.predict(pairs, batch_size=BATCH_SIZE).tolist()


def st_torch(options: argparse.Namespace, precision: str) -> Score:
    import torch

    kinds = {"fp32": torch.float32, "bf16": torch.bfloat16}
    return sentence_transformers(options, "torch", torch_dtype=kinds[precision])


def st_onnx(options: argparse.Namespace, precision: str) -> Score:
    import onnxruntime

    session = onnxruntime.SessionOptions()
    session.intra_op_num_threads = options.threads
    name = {"fp32": "onnx/model.onnx", "int8": "onnx/model_int8.onnx"}[precision]
    return sentence_transformers(
        options, "onnx", file_name=name, provider="CPUExecutionProvider", session_options=session
    )


def st_openvino(options: argparse.Namespace, precision: str) -> Score:
    hint = {"fp32": "f32", "bf16": "bf16"}[precision]
    config = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": str(options.threads)}
    return sentence_transformers(options, "openvino", export=True, ov_config=config)


def st_openvino_int8(options: argparse.Namespace, precision: str) -> Score:
    """Static int8, calibrated on the pairs that it is warmed up with."""
    import nncf
    import openvino
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(options.model, local_files_only=True)
    model = openvino.Core().read_model(options.model / "onnx/model.onnx")
    names = [entry.any_name for entry in model.inputs]
    config = {"INFERENCE_NUM_THREADS": str(options.threads), "PERFORMANCE_HINT": "LATENCY"}
    compiled = None

    def encoded(pairs: Pairs) -> dict:
        given = tokenizer(
            [query for query, _ in pairs],
            [document for _, document in pairs],
            truncation="longest_first",
            max_length=options.max_length,
            padding=True,
            return_tensors="np",
        )
        return {name: given[name].astype("int64") for name in names}

    def score(pairs: Pairs) -> list[float]:
        nonlocal compiled
        if compiled is None:
            sample = nncf.Dataset(pairs[:CALIBRATION_PAIRS], lambda pair: encoded([pair]))
            quantised = nncf.quantize(model, sample, model_type=nncf.ModelType.TRANSFORMER)
            compiled = openvino.Core().compile_model(quantised, "CPU", config)
        order = sorted(range(len(pairs)), key=lambda i: -len(pairs[i][1]))
        logits = [0.0] * len(pairs)
        for start in range(0, len(order), BATCH_SIZE):
            rows = order[start : start + BATCH_SIZE]
            given = compiled(encoded([pairs[i] for i in rows]))[0].reshape(-1)
            for row, logit in zip(rows, given.tolist(), strict=True):
                logits[row] = logit
        return logits

    return score


def fastembed(options: argparse.Namespace, precision: str) -> Score:
    from fastembed.common.model_description import ModelSource
    from fastembed.rerank.cross_encoder import TextCrossEncoder

    TextCrossEncoder.add_custom_model(
        model="bench/model",
        model_file="onnx/model.onnx",
        sources=ModelSource(hf="bench/model"),
    )
    encoder = TextCrossEncoder(
        "bench/model", threads=options.threads, specific_model_path=str(options.model)
    )
    return lambda pairs: list(encoder.rerank_pairs(pairs, batch_size=BATCH_SIZE))


def flag(options: argparse.Namespace, precision: str) -> Score:
    from FlagEmbedding import FlagReranker

    limit_torch(options)
    reranker = FlagReranker(
        str(options.model), use_fp16=False, devices="cpu", max_length=options.max_length
    )
    return lambda pairs: reranker.compute_score(pairs, batch_size=BATCH_SIZE, normalize=False)


def infinity(options: argparse.Namespace, precision: str) -> Score:
    from itertools import groupby

    from infinity_emb import EngineArgs, SyncEngineArray

    limit_torch(options)
    name = str(options.model)
    engines = SyncEngineArray.from_args(
        [
            EngineArgs(
                model_name_or_path=name,
                engine="torch",
                device="cpu",
                batch_size=BATCH_SIZE,
                bettertransformer=False,
                compile=False,
                model_warmup=False,
                lengths_via_tokenize=False,
            )
        ]
    )

    def score(pairs: Pairs) -> list[float]:
        waiting = []
        for query, of_query in groupby(pairs, lambda pair: pair[0]):
            documents = [document for _, document in of_query]
            asked = engines.rerank(model=name, query=query, docs=documents, raw_scores=True)
            waiting.append((len(documents), asked))
        logits: list[float] = []
        for count, asked in waiting:
            ranked, _ = asked.result()
            of_query = dict((one.index, float(one.relevance_score)) for one in ranked)
            logits += [of_query[index] for index in range(count)]
        return logits

    return score


def llama(options: argparse.Namespace, precision: str) -> Score:
    import llama_cpp

    tokens = options.max_length * LLAMA_BATCH_SIZE
    model = llama_cpp.Llama(
        str(options.model),
        embedding=True,
        pooling_type=llama_cpp.LLAMA_POOLING_TYPE_RANK,
        n_ctx=tokens,
        n_batch=tokens,
        n_ubatch=tokens,
        n_threads=options.threads,
        n_threads_batch=options.threads,
        verbose=False,
    )

    def encoded(query: str, document: str) -> list[int]:
        # As its server joins them: the second text begins with a separator where the first has its start.
        first, second = (model.tokenize(text.encode()) for text in (query, document))
        return first + [model._model.token_sep()] + second[1:]

    def score(pairs: Pairs) -> list[float]:
        logits = []
        for start in range(0, len(pairs), LLAMA_BATCH_SIZE):
            rows = pairs[start : start + LLAMA_BATCH_SIZE]
            # Its own `embed` cannot be given two texts, and reads more numbers than a ranking has.
            model._batch.reset()
            for at, (query, document) in enumerate(rows):
                ids = encoded(query, document)[: options.max_length]
                model._batch.add_sequence(ids, at, True)
            model._ctx.decode(model._batch)
            context = model._ctx.ctx
            logits += [llama_cpp.llama_get_embeddings_seq(context, at)[0] for at in range(len(rows))]
        return logits

    return score


PEERS: dict[str, tuple[Callable[[argparse.Namespace, str], Score], str]] = {
    "sentence-transformers torch fp32": (st_torch, "fp32"),
    "sentence-transformers ONNX fp32": (st_onnx, "fp32"),
    "sentence-transformers OpenVINO fp32": (st_openvino, "fp32"),
    "fastembed fp32": (fastembed, "fp32"),
    "FlagEmbedding fp32": (flag, "fp32"),
    "Infinity fp32": (infinity, "fp32"),
    "sentence-transformers torch bf16": (st_torch, "bf16"),
    "sentence-transformers OpenVINO bf16": (st_openvino, "bf16"),
    "sentence-transformers ONNX int8": (st_onnx, "int8"),
    "OpenVINO static int8": (st_openvino_int8, "int8"),
    "llama.cpp (from PyPI) fp32": (llama, "fp32"),
    "llama.cpp (from PyPI), Q8_0 int8": (llama, "int8"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peer", required=True, choices=list(PEERS))
    parser.add_argument("--model", required=True, type=Path, metavar="FOLDER_OR_FILE")
    parser.add_argument("--threads", required=True, type=int)
    parser.add_argument("--max-length", required=True, type=int, metavar="TOKENS")
    options = parser.parse_args()
    # Whatever a library prints goes where people read; answers alone go to the bench.
    answers, sys.stdout = sys.stdout, sys.stderr
    make, precision = PEERS[options.peer]
    score = make(options, precision)

    def answer(value: object) -> None:
        print(json.dumps(value), file=answers, flush=True)

    answer("ready")
    for line in sys.stdin:
        jobs = json.loads(line)
        pairs = [(job["query"], document) for job in jobs for document in job["documents"]]
        started = time.perf_counter()
        scored = score(pairs)
        seconds = time.perf_counter() - started
        rest = iter(scored)
        logits = [[float(next(rest)) for _ in job["documents"]] for job in jobs]
        answer({"seconds": seconds, "logits": logits})


main()
