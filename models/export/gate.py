"""Compares the precisions of an exported model on a sample of pairs.

    python models/export/gate.py FOLDER [--pairs FILE] [--max-difference X] ...

fp16 and int8 are compared with the fp32 file, and that with PyTorch where the weights are at hand.
Ends with status 3 where a precision is beyond its thresholds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import no_telemetry  # noqa: F401 (before onnxruntime)
import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from onnx_files import FILE_OF_PRECISION
from prompts import prompt_ids, read_prompt, shared_tokens
from sample_text import DOCUMENTS, QUERIES
from scoring import Encoded, encode_pair, onnx_logits, open_session, sigmoid

REPORT_FILE = "export-report.json"
EXIT_BEYOND_THRESHOLDS = 3
TOP = 10
# Rows that are scored together to show that both axes are dynamic and that padding is masked.
PADDED_ROWS = 4


@dataclass(frozen=True)
class Thresholds:
    """What a precision may differ by. Scores are sigmoids, so 0.05 is a twentieth of their range."""

    max_difference: float
    min_tau: float
    min_overlap: float


# fp32 differs from PyTorch by the order of additions alone. An fp16 logit has about three digits.
# int8 is held to what leaves a ranking of practical use: its first ten nearly whole.
DEFAULT_THRESHOLDS = {
    "fp32": Thresholds(max_difference=1e-4, min_tau=0.999, min_overlap=1.0),
    "fp16": Thresholds(max_difference=0.01, min_tau=0.98, min_overlap=0.95),
    "int8": Thresholds(max_difference=0.15, min_tau=0.85, min_overlap=0.8),
    "w8": Thresholds(max_difference=0.05, min_tau=0.95, min_overlap=0.9),
}


@dataclass(frozen=True)
class Sample:
    """One query and the documents that are ranked for it."""

    query: str
    documents: list[str]


@dataclass(frozen=True)
class Agreement:
    """One precision against its reference, over the whole sample; tau and overlap are means of queries."""

    precision: str
    reference: str
    max_score_difference: float
    max_logit_difference: float
    kendall_tau: float
    top10_overlap: float
    thresholds: Thresholds
    passed: bool


def kendall_tau(left: np.ndarray, right: np.ndarray) -> float:
    """Tau-b: 1 where both order all documents alike, -1 where one reverses the other.

    1 by convention where an order has ties alone, as with a single document.
    """
    first, second = np.triu_indices(len(left), k=1)
    a = np.sign(left[first] - left[second])
    b = np.sign(right[first] - right[second])
    untied = float(np.sqrt(np.count_nonzero(a) * np.count_nonzero(b)))
    return float(np.sum(a * b)) / untied if untied > 0 else 1.0


def top_overlap(left: np.ndarray, right: np.ndarray, top: int = TOP) -> float:
    """Share of the first `top` documents that both rankings have. Ties are broken by index."""
    size = min(top, len(left))
    first = set(np.argsort(-left, kind="stable")[:size].tolist())
    second = set(np.argsort(-right, kind="stable")[:size].tolist())
    return len(first & second) / size


def compare(
    precision: str,
    logits: np.ndarray,
    reference: str,
    reference_logits: np.ndarray,
    sizes: list[int],
    thresholds: Thresholds,
) -> Agreement:
    """`sizes` are the numbers of documents of each query, in the order of the logits."""
    bounds = np.cumsum(sizes)[:-1]
    queries = list(zip(np.split(logits, bounds), np.split(reference_logits, bounds), strict=True))
    difference = float(np.abs(sigmoid(logits) - sigmoid(reference_logits)).max())
    tau = float(np.mean([kendall_tau(a, b) for a, b in queries]))
    overlap = float(np.mean([top_overlap(a, b) for a, b in queries]))
    return Agreement(
        precision=precision,
        reference=reference,
        max_score_difference=difference,
        max_logit_difference=float(np.abs(logits - reference_logits).max()),
        kendall_tau=tau,
        top10_overlap=overlap,
        thresholds=thresholds,
        # A NaN compares false with everything and so never passes.
        passed=difference <= thresholds.max_difference
        and tau >= thresholds.min_tau
        and overlap >= thresholds.min_overlap,
    )


def read_sample(path: Path | None) -> list[Sample]:
    """Lines of {"query", "documents"}, documents being strings or {"text"}; built-in text without a path."""
    if path is None:
        return [Sample(query, DOCUMENTS) for query in QUERIES]
    samples = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        row = json.loads(line)
        if not isinstance(row, dict) or not row.get("query") or not row.get("documents"):
            raise ValueError(f'{path}:{number}: expected {{"query": …, "documents": […]}}')
        documents = [d if isinstance(d, str) else d["text"] for d in row["documents"]]
        samples.append(Sample(row["query"], documents))
    if not samples:
        raise ValueError(f"{path} holds no pairs")
    return samples


def encode_samples(folder: Path, samples: list[Sample], max_length: int) -> list[Encoded]:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    prompt = read_prompt(folder)
    return [
        encode_pair(tokenizer, sample.query, document, max_length)
        if prompt is None
        else encode_prompted(tokenizer, prompt, sample.query, document, max_length)
        for sample in samples
        for document in sample.documents
    ]


def encode_prompted(
    tokenizer: Tokenizer, prompt: dict, query: str, document: str, max_length: int
) -> Encoded:
    ids = prompt_ids(tokenizer, prompt, query, document)
    if len(ids) > max_length:
        raise ValueError(
            f"a pair of the sample has {len(ids)} tokens with its prompt: raise --max-length, now {max_length}"
        )
    shared = shared_tokens(tokenizer, prompt, query)
    return Encoded(ids=ids, type_ids=[0] * len(ids), shared=shared)


def padding_difference(
    session: onnxruntime.InferenceSession, pairs: list[Encoded], pad_token_id: int
) -> float:
    """Largest change of a logit when pairs of unlike length are scored in one batch."""
    by_length = sorted(pairs, key=lambda pair: len(pair.ids))
    picks = np.linspace(0, len(by_length) - 1, min(PADDED_ROWS, len(by_length))).astype(int)
    some = [by_length[index] for index in picks]
    together = onnx_logits(session, some, pad_token_id, batch=len(some))
    return float(np.abs(together - onnx_logits(session, some, pad_token_id)).max())


def run_gate(
    folder: Path,
    samples: list[Sample],
    thresholds: dict[str, Thresholds],
    max_length: int,
    torch_reference: np.ndarray | None = None,
) -> bool:
    """Compares whatever precisions `folder/onnx` holds and writes the report. True where all pass.

    Every pair runs alone at its exact length: a dynamic int8 score depends on its batch-mates.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    pad_token_id = config.get("pad_token_id") or 0
    pairs = encode_samples(folder, samples, max_length)
    sizes = [len(sample.documents) for sample in samples]

    fp32 = open_session(folder / "onnx" / FILE_OF_PRECISION["fp32"])
    reference = onnx_logits(fp32, pairs, pad_token_id)
    padding = padding_difference(fp32, pairs, pad_token_id)
    # A session of a large model holds gigabytes: never two at once.
    del fp32
    results = []
    if torch_reference is not None:
        results.append(
            compare("fp32", reference, "pytorch", torch_reference, sizes, thresholds["fp32"])
        )
    for precision in ("fp16", "int8", "w8"):
        path = folder / "onnx" / FILE_OF_PRECISION[precision]
        if path.exists():
            logits = onnx_logits(open_session(path), pairs, pad_token_id)
            results.append(
                compare(precision, logits, "fp32", reference, sizes, thresholds[precision])
            )

    padding_passed = padding <= thresholds["fp32"].max_difference
    passed = padding_passed and all(result.passed for result in results)
    write_report(folder, results, padding, passed, len(samples), len(pairs), max_length)
    print_report(results, padding, padding_passed)
    return passed


def write_report(
    folder: Path,
    results: list[Agreement],
    padding: float,
    passed: bool,
    queries: int,
    pairs: int,
    max_length: int,
) -> None:
    report = {
        "passed": passed,
        "queries": queries,
        "pairs": pairs,
        "maxLength": max_length,
        "onnxruntime": onnxruntime.__version__,
        "fp32PaddingLogitDifference": padding,
        "precisions": [camel_case(asdict(result)) for result in results],
    }
    text = json.dumps(report, indent=2) + "\n"
    (folder / REPORT_FILE).write_text(text, encoding="utf-8")


def camel_case(value: object) -> object:
    """Keys as the project's other JSON files have them."""
    if not isinstance(value, dict):
        return value
    return {
        name.split("_")[0] + "".join(part.title() for part in name.split("_")[1:]): camel_case(item)
        for name, item in value.items()
    }


def print_report(results: Iterable[Agreement], padding: float, padding_passed: bool) -> None:
    for result in results:
        print(
            f"{result.precision} against {result.reference}: "
            f"scores differ by at most {result.max_score_difference:.2g}, "
            f"Kendall's tau {result.kendall_tau:.4f}, "
            f"top-{TOP} overlap {result.top10_overlap:.3f}"
            f"{'' if result.passed else ': BEYOND THRESHOLDS'}"
        )
    verdict = "" if padding_passed else ": BEYOND THRESHOLDS"
    print(f"fp32 alone against fp32 padded: logits differ by at most {padding:.2g}{verdict}")


def add_gate_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "gate", "each threshold holds for every precision; without it, each has its own"
    )
    group.add_argument("--pairs", type=Path, metavar="FILE", help="JSON lines: query, documents")
    group.add_argument("--max-length", type=int, default=512, help="tokens of a pair (%(default)s)")
    group.add_argument("--max-difference", type=float, help="largest score difference")
    group.add_argument("--min-tau", type=float, help="Kendall's tau, mean of the queries")
    group.add_argument("--min-overlap", type=float, help=f"top-{TOP} overlap, mean of the queries")


def thresholds_of(options: argparse.Namespace) -> dict[str, Thresholds]:
    given = {
        name: getattr(options, name)
        for name in ("max_difference", "min_tau", "min_overlap")
        if getattr(options, name) is not None
    }
    return {precision: replace(base, **given) for precision, base in DEFAULT_THRESHOLDS.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    add_gate_options(parser)
    options = parser.parse_args()
    try:
        samples = read_sample(options.pairs)
        passed = run_gate(options.folder, samples, thresholds_of(options), options.max_length)
    except (OSError, ValueError) as error:
        print(f"gate: {error}", file=sys.stderr)
        return 2
    return 0 if passed else EXIT_BEYOND_THRESHOLDS


if __name__ == "__main__":
    sys.exit(main())
