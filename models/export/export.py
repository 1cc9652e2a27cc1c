"""Exports a Hugging Face cross-encoder to ONNX: fp32, fp16 and int8, and compares them.

    python models/export/export.py MODEL --output FOLDER [--precision fp32,fp16,int8]

MODEL is a folder, or a hub id with an optional --revision. The output is a model folder:
config.json, tokenizer files, onnx/model.onnx, onnx/model_fp16.onnx, onnx/model_int8.onnx, and
export-report.json with the gate's figures. Exit status: 0, 2 where the model cannot be exported,
3 where a precision differs by more than its thresholds.
"""

from __future__ import annotations

import argparse
import gc
import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedTokenizerBase,
)

from bidirectional import is_bidirectional, load_bidirectional
from decoder import DECODERS, DecoderReranker, load_decoder
from gate import (
    EXIT_BEYOND_THRESHOLDS,
    REPORT_FILE,
    add_gate_options,
    encode_samples,
    read_sample,
    run_gate,
    thresholds_of,
)
from module_chain import is_chain, load_chain, logit_tokens
from onnx_files import FILE_OF_PRECISION, convert_fp16, export_fp32, input_names, quantize_int8
from prompts import PROMPT_FILE, PROMPTS, named_prompt, query_first, read_prompt
from saved_prompt import TEMPLATE_FILE, saved_instruction, saved_prompt
from scoring import torch_logits
from shared_prefix import SharedPrefixReranker, why_not_shared
from weight_only import quantize_weights
from weights import load_weights

EXIT_CANNOT_EXPORT = 2
# The files of a model folder beside its weights, copied as it is: token ids depend on every byte.
COPIED_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "rankmill.json",
)
# The files that are fetched from the hub: no weights of other frameworks.
HUB_PATTERNS = ("*.json", "*.jinja", "*.safetensors", "pytorch_model*.bin", "*.model", "*.txt", "*.py")


class CannotExport(Exception):
    """The model is not one that this script can export; the message says why."""


def resolve(source: str, revision: str | None) -> Path:
    """The folder of a model; a hub id is downloaded into the hub's own cache."""
    folder = Path(source)
    if folder.is_dir():
        return folder
    if folder.is_absolute() or source.startswith("."):
        raise CannotExport(f"{source}: no such folder")
    try:
        return Path(
            snapshot_download(source, revision=revision, allow_patterns=list(HUB_PATTERNS))
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise CannotExport(f"{source}: no such folder, and the hub says: {reason}") from error


@dataclass(frozen=True)
class Head:
    """The way from a decoder's last token to one logit."""

    # The token that says yes, and the one that says no if there is one, as texts or ids.
    tokens: list[str] = field(default_factory=list)
    divisor: float = 1.0


def is_decoder(config: PretrainedConfig) -> bool:
    return config.model_type in DECODERS


def load_decoder_of(
    folder: Path, config: PretrainedConfig, head: Head, trust_remote_code: bool
) -> torch.nn.Module:
    names = config.architectures or []
    if any("ForCausalLM" in name for name in names) != bool(head.tokens):
        what = "give the tokens that say yes and no: --seq-cls yes,no"
        if head.tokens:
            what = "it has a head of its own: leave out --seq-cls"
        raise CannotExport(f"{folder}: {names}: {what}")
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=trust_remote_code)
    return load_decoder(
        folder, [token_id(tokenizer, one) for one in head.tokens], head.divisor, trust_remote_code
    )


def token_id(tokenizer: PreTrainedTokenizerBase, token: str) -> int:
    """The id of a token that is given as its id or as its text."""
    if token.startswith("id:"):
        return int(token.removeprefix("id:"))
    if token.isdecimal() and len(token) > 1:
        return int(token)
    ids = tokenizer.encode(token, add_special_tokens=False)
    if len(ids) != 1:
        raise CannotExport(f"--seq-cls: {token!r} is {len(ids)} tokens of this model, not one")
    return ids[0]


def load_model(folder: Path, trust_remote_code: bool, head: Head = Head()) -> torch.nn.Module:
    """The model in float32 and evaluation mode, with attention written out in plain operators."""
    has_own_head = is_chain(folder) or is_bidirectional(folder)
    if has_own_head and head.tokens:
        raise CannotExport(f"{folder}: it has a head of its own: leave out --seq-cls")
    if is_bidirectional(folder):
        return load_bidirectional(folder)
    config = AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code)
    if is_chain(folder):
        return load_chain(folder, trust_remote_code)
    if is_decoder(config):
        return load_decoder_of(folder, config, head, trust_remote_code)
    if head.tokens:
        raise CannotExport(f"{folder}: {config.model_type} is no decoder: leave out --seq-cls")
    if config.num_labels != 1:
        raise CannotExport(
            f"{folder}: the model has {config.num_labels} logits; a cross-encoder has one"
        )
    if not any("ForSequenceClassification" in name for name in config.architectures or []):
        raise CannotExport(f"{folder}: {config.architectures} is no sequence classifier")
    if hasattr(config, "reference_compile"):
        # torch.compile and the exporter exclude each other.
        config.reference_compile = False
    return load_weights(AutoModelForSequenceClassification, folder, config, trust_remote_code)


def copy_files(source: Path, output: Path, trust_remote_code: bool) -> None:
    output.mkdir(parents=True, exist_ok=True)
    for name in COPIED_FILES:
        if (source / name).exists():
            shutil.copyfile(source / name, output / name)
    if not (output / "tokenizer.json").exists():
        # Older models ship a vocabulary only, from which transformers builds the same tokenizer.
        try:
            tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=trust_remote_code)
        except (ImportError, OSError, TypeError, ValueError) as error:
            # transformers fails in many ways if there is no vocabulary at all.
            raise CannotExport(f"{source}: no tokenizer.json, and no vocabulary for one") from error
        if not tokenizer.is_fast:
            raise CannotExport(f"{source}: the tokenizer has no tokenizer.json and no fast form")
        tokenizer.save_pretrained(output)


def export(options: argparse.Namespace, precisions: list[str]) -> bool:
    source = resolve(options.model, options.revision)
    output: Path = options.output
    tokens = [one for one in options.seq_cls.split(",") if one] or logit_tokens(source)
    head = Head(tokens=tokens, divisor=options.divide_by)
    model = load_model(source, options.trust_remote_code, head)
    copy_files(source, output, options.trust_remote_code)
    write_prompt(source, output, options)
    samples = read_sample(options.pairs)
    longest = longest_pair(model, options.max_length)
    names = input_names(model)
    reference: np.ndarray = torch_logits(model, names, encode_samples(output, samples, longest))

    for name in [*FILE_OF_PRECISION.values(), f"{FILE_OF_PRECISION['fp32']}_data"]:
        # A file left from an earlier export would be compared as if it were this one's.
        (output / "onnx" / name).unlink(missing_ok=True)
    (output / REPORT_FILE).unlink(missing_ok=True)
    fp32 = export_fp32(exported(model, read_prompt(output), options), output / "onnx")
    del model
    gc.collect()
    if "fp16" in precisions:
        convert_fp16(fp32, fp32.with_name(FILE_OF_PRECISION["fp16"]))
    if "int8" in precisions:
        target = fp32.with_name(FILE_OF_PRECISION["int8"])
        quantize_int8(fp32, target, reduce_range=options.reduce_range)
    if "w8" in precisions:
        quantize_weights(fp32, fp32.with_name(FILE_OF_PRECISION["w8"]))

    passed = run_gate(output, samples, thresholds_of(options), longest, torch_reference=reference)
    if "fp32" not in precisions:
        fp32.unlink()
        fp32.with_name(f"{fp32.name}_data").unlink(missing_ok=True)
    for path in sorted(fp32.parent.iterdir()):
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return passed


def exported(
    model: torch.nn.Module, prompt: dict | None, options: argparse.Namespace
) -> torch.nn.Module:
    """The model as its graph has it: with keys and values of a prefix, if its pairs have one to share."""
    if not isinstance(model, DecoderReranker) or prompt is None or not query_first(prompt):
        return model
    if options.whole_prompt:
        return model
    why = why_not_shared(model.config)
    if why is not None:
        print(f"each pair will compute its whole prompt: {why}")
        return model
    return SharedPrefixReranker(model)


def write_prompt(source: Path, output: Path, options: argparse.Namespace) -> None:
    """Writes the prompt that is asked for, or the one that sentence-transformers has saved in the folder."""
    if options.prompt is not None:
        named = named_prompt(options.prompt)
        own = saved_instruction(source)
        slots = [part.get("slot") for part in named.get("partsWithInstruction", named["parts"])]
        keeps_own = own is not None and "instruction" in slots
        prompt = {**named, "instruction": own} if keeps_own else options.prompt
    elif (source / PROMPT_FILE).exists():
        return
    else:
        prompt = saved_prompt(source, options.trust_remote_code)
        if prompt is None:
            if logit_tokens(source):
                names = ", ".join(sorted(path.stem for path in PROMPTS.glob("*.json")))
                raise CannotExport(
                    f"{source}: its chat template makes none of the known prompts: give --prompt with one of"
                    f" {names}, or write a {PROMPT_FILE} with the prompt's parts into the folder"
                )
            before = saved_instruction(source)
            # Without a template for talks it is an encoder, which has no slot for an instruction.
            if before is not None and not (source / TEMPLATE_FILE).exists():
                raise CannotExport(
                    f"{source}: sentence-transformers puts {json.dumps(before)} before each query, and rankmill puts"
                    " nothing before an encoder's: set default_prompt_name to null in"
                    " config_sentence_transformers.json, and begin your queries with that text"
                )
            return
    text = json.dumps({"prompt": prompt}, indent=2) + "\n"
    (output / PROMPT_FILE).write_text(text, encoding="utf-8")


def longest_pair(model: torch.nn.Module, max_length: int) -> int:
    """`max_length`, or what the model has positions for. RoBERTa's start after the padding id."""
    positions = getattr(model.config, "max_position_embeddings", max_length)
    taken = 2 if "roberta" in model.config.model_type else 0
    return min(max_length, positions - taken)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="a folder or a hub id")
    parser.add_argument("--output", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--revision", help="commit, branch or tag on the hub")
    parser.add_argument("--precision", default="fp32,fp16,int8", help="of %(default)s")
    parser.add_argument(
        "--reduce-range", action="store_true", help="int8 for CPUs without VNNI: 7-bit weights"
    )
    parser.add_argument(
        "--trust-remote-code", action="store_true", help="run Python code that the model brings"
    )
    parser.add_argument(
        "--seq-cls",
        default="",
        metavar="YES[,NO]",
        help="of a language model: the tokens whose logits are the score, as texts or ids",
    )
    parser.add_argument("--divide-by", type=float, default=1.0, help="divisor of that logit")
    parser.add_argument("--prompt", metavar="NAME", help="prompt of models/prompts that it reads")
    parser.add_argument(
        "--whole-prompt",
        action="store_true",
        help="compute a prompt whole for each pair, also where the query stands before the document",
    )
    add_gate_options(parser)
    options = parser.parse_args()
    precisions = options.precision.split(",")
    if unknown := set(precisions) - FILE_OF_PRECISION.keys():
        parser.error(f"unknown precision {', '.join(sorted(unknown))}")
    try:
        passed = export(options, precisions)
    except (CannotExport, OSError, ValueError) as error:
        print(f"export: {error}", file=sys.stderr)
        return EXIT_CANNOT_EXPORT
    return 0 if passed else EXIT_BEYOND_THRESHOLDS


if __name__ == "__main__":
    sys.exit(main())
