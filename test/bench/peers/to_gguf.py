"""Makes a file for llama.cpp of a model folder, by llama.cpp's own converter.

    python to_gguf.py --model FOLDER --type f32 --output FILE

The converter lies in the environment, where `npm run bench -- peers --set-up DIR --with-llama` puts it. Of
tokenizers of XLM-RoBERTa it reads sentencepiece.bpe.model. If a folder has tokenizer.json alone, it must be
told what that file says in another place.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

CONVERTER = Path(sys.prefix) / "llama.cpp/convert_hf_to_gguf.py"


def readable(model: Path, view: Path) -> Path:
    """A view of the folder, with its tokenizer as the converter reads it."""
    for path in model.iterdir():
        (view / path.name).symlink_to(path.resolve())
    tokenizer = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))
    if tokenizer["model"]["type"] != "Unigram" or (model / "sentencepiece.bpe.model").exists():
        return view
    steps = (tokenizer["normalizer"] or {}).get("normalizers", [])
    tokenizer["normalizer"] = next(step for step in steps if step["type"] == "Precompiled")
    config = json.loads((model / "tokenizer_config.json").read_text(encoding="utf-8"))
    config["add_prefix_space"] = True
    for name, value in (("tokenizer.json", tokenizer), ("tokenizer_config.json", config)):
        (view / name).unlink()
        (view / name).write_text(json.dumps(value), encoding="utf-8")
    return view


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--type", required=True, choices=["f32", "q8_0"])
    parser.add_argument("--output", required=True, type=Path, metavar="FILE")
    options = parser.parse_args()
    part = options.output.with_suffix(".part")
    with tempfile.TemporaryDirectory() as view:
        command = [sys.executable, str(CONVERTER), str(readable(options.model, Path(view)))]
        subprocess.run([*command, "--outtype", options.type, "--outfile", str(part)], check=True)
    part.rename(options.output)


main()
