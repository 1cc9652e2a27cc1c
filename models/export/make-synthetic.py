"""Makes a model folder of a real reranker's shape with random weights, for measuring speed and memory.

    python models/export/make-synthetic.py --model minilm-l6 --precision fp32,int8 \\
        --tokenizer FOLDER --output FOLDER

The tokenizer's files are copied from FOLDER, so that the result is a whole model folder. Scores
mean nothing, but vary from pair to pair as those of a real model do. A language model gets its prompt;
--layers makes a model smaller, and --weights keeps what the framework needs to run the same one.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import PretrainedConfig

from decoder import DecoderReranker
from onnx_files import FILE_OF_PRECISION, convert_fp16, export_fp32, input_names, quantize_int8
from prompts import PROMPT_FILE, named_prompt, prompt_ids, query_first
from random_models import LOGIT_SPREAD, build, build_chain, scale_last_norm, spread_logits
from sample_text import DOCUMENTS, QUERIES
from scoring import Encoded, encode_pair, torch_logits
from shapes import SHAPES, ChainShape, DecoderShape
from shared_prefix import SharedPrefixReranker
from tiny_tokenizers import write_json

SEED = 20_240_611
# Enough pairs to see how far logits spread, few enough for the largest shape on one core.
SPREAD_PAIRS = 12
SPREAD_MAX_LENGTH = 64
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


def copy_tokenizer(source: Path, target: Path, max_length: int) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        if (source / name).exists():
            # Contents only: a read-only source must not make the copy read-only.
            shutil.copyfile(source / name, target / name)
    path = target / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    config["model_max_length"] = min(config.get("model_max_length", max_length), max_length)
    write_json(path, config)


def write_fp32(options: argparse.Namespace) -> Path:
    name, source, output = options.model, options.tokenizer, options.output
    shape = SHAPES[name]
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    texts = [(QUERIES[i % len(QUERIES)], DOCUMENTS[i]) for i in range(SPREAD_PAIRS)]
    config = shape.configuration(tokenizer)
    config.num_hidden_layers = options.layers or config.num_hidden_layers
    copy_tokenizer(source, output, shape.positions)
    if isinstance(shape, DecoderShape):
        model = language_model(shape, config, options, tokenizer, texts)
    else:
        model = build_chain(config, SEED) if isinstance(shape, ChainShape) else build(config, SEED)
        pairs = [encode_pair(tokenizer, q, d, SPREAD_MAX_LENGTH) for q, d in texts]
        spread_logits(model, pairs)
        model.config.architectures = [type(getattr(model, "encoder", model)).__name__]
        model.config.save_pretrained(output)
        if options.weights and not isinstance(shape, ChainShape):
            model.save_pretrained(output)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{name}: {parameters / 1e6:.1f} M parameters, inputs {input_names(model)}")
    return export_fp32(model, output / "onnx")


def language_model(
    shape: DecoderShape,
    config: PretrainedConfig,
    options: argparse.Namespace,
    tokenizer: Tokenizer,
    texts: list[tuple[str, str]],
) -> torch.nn.Module:
    model = build(config, SEED)
    # Weights that are made up are not tied, and those that transformers loads are.
    model.tie_weights()
    prompt = named_prompt(shape.prompt)
    tokens = [tokenizer.encode(word, add_special_tokens=False).ids[0] for word in shape.words]
    pairs = [prompt_ids(tokenizer, prompt, *text) for text in texts]
    encoded = [Encoded(ids, [0] * len(ids)) for ids in pairs]
    weight = model.lm_head.weight
    row = weight[tokens[0]] - sum(weight[token] for token in tokens[1:])
    fold = DecoderReranker(model.model, row).eval()
    spread = float(np.std(torch_logits(fold, input_names(fold), encoded))) / LOGIT_SPREAD
    scale_last_norm(model, 1 / spread)
    text = json.dumps({"prompt": shape.prompt}) + "\n"
    (options.output / PROMPT_FILE).write_text(text, encoding="utf-8")
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(options.output)
    if options.weights:
        model.save_pretrained(options.output)
    shares = query_first(prompt) and not options.whole_prompt
    return SharedPrefixReranker(fold) if shares else fold


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, choices=list(SHAPES))
    parser.add_argument("--precision", default="fp32,int8", help="of fp32, fp16 and int8")
    parser.add_argument("--tokenizer", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--output", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--layers", type=int, help="layers to make (as many as the model has)")
    parser.add_argument(
        "--whole-prompt", action="store_true", help="of a language model: no keys and values"
    )
    parser.add_argument(
        "--weights", action="store_true", help="write the framework's weights as well, but for ettin"
    )
    parser.add_argument("--threads", type=int, default=1, help="for the few pairs that are scored")
    options = parser.parse_args()
    precisions = options.precision.split(",")
    if unknown := set(precisions) - FILE_OF_PRECISION.keys():
        parser.error(f"unknown precision {', '.join(sorted(unknown))}")

    torch.set_num_threads(options.threads)
    started = time.monotonic()
    fp32 = write_fp32(options)
    gc.collect()
    if "fp16" in precisions:
        convert_fp16(fp32, fp32.with_name(FILE_OF_PRECISION["fp16"]))
    if "int8" in precisions:
        quantize_int8(fp32, fp32.with_name(FILE_OF_PRECISION["int8"]), reduce_range=False)
    if "fp32" not in precisions:
        fp32.unlink()
        fp32.with_name(f"{fp32.name}_data").unlink(missing_ok=True)
    for path in sorted(fp32.parent.iterdir()):
        print(f"  {path.name}: {path.stat().st_size / 1e6:.1f} MB")
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"  {time.monotonic() - started:.0f} s, at most {peak_gb:.1f} GB resident")
    return 0


if __name__ == "__main__":
    sys.exit(main())
