"""Encodes pairs for models that are asked in words, as the models' own code does."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer

PROMPTS = Path(__file__).resolve().parents[1] / "prompts"
PROMPT_FILE = "rankmill.json"


def read_prompt(folder: Path) -> dict | None:
    """The prompt of a model's folder, or None if it has none."""
    path = folder / PROMPT_FILE
    if not path.exists():
        return None
    prompt = json.loads(path.read_text(encoding="utf-8")).get("prompt")
    return named_prompt(prompt) if isinstance(prompt, str) else prompt


def named_prompt(name: str) -> dict:
    path = PROMPTS / f"{name}.json"
    if not path.exists():
        names = ", ".join(sorted(one.stem for one in PROMPTS.glob("*.json")))
        raise ValueError(f"prompt {name} is none of {names}")
    return json.loads(path.read_text(encoding="utf-8"))["prompt"]


def prompt_ids(
    tokenizer: Tokenizer, prompt: dict, query: str, document: str, instruction: str | None = None
) -> list[int]:
    """Token ids of a pair. Slots without a text between them are one text, as in the models' own code."""
    instruction = instruction or prompt.get("instruction")
    parts = prompt["parts"]
    if instruction is not None:
        parts = prompt.get("partsWithInstruction", parts)
    values = {"query": query, "document": document, "instruction": instruction}
    texts: list[str] = []
    follows_slot = False
    for part in parts:
        if "text" in part:
            texts.append(part["text"])
            follows_slot = False
            continue
        value = values[part["slot"]]
        if value is None:
            continue
        text = part.get("before", "") + value + part.get("after", "")
        if follows_slot:
            texts[-1] += text
        else:
            texts.append(text)
        follows_slot = True
    return [id for text in texts for id in tokenizer.encode(text, add_special_tokens=False).ids]


def shared_tokens(
    tokenizer: Tokenizer, prompt: dict, query: str, instruction: str | None = None
) -> int:
    """Tokens at the start of a pair that do not depend on its document: 0 if that comes first."""
    instruction = instruction or prompt.get("instruction")
    parts = prompt["parts"]
    if instruction is not None:
        parts = prompt.get("partsWithInstruction", parts)
    values = {"query": query, "instruction": instruction}
    count = 0
    asked = False
    for part in parts:
        if part.get("slot") == "document":
            break
        asked = asked or part.get("slot") == "query"
        value = part.get("text", values.get(part.get("slot", "")))
        if value is not None:
            text = part.get("before", "") + value + part.get("after", "")
            count += len(tokenizer.encode(text, add_special_tokens=False).ids)
    return count if asked else 0


def query_first(prompt: dict) -> bool:
    """True if all parts before the document are the same for all documents of a query."""
    slots = [part["slot"] for part in prompt["parts"] if "slot" in part]
    return slots.index("query") < slots.index("document")


def joined(parts: list[dict], marks: dict[str, str]) -> str:
    """The text of a prompt whose slots hold `marks`; a slot without one is left out."""
    texts = []
    for part in parts:
        value = part.get("text", marks.get(part.get("slot", "")))
        if value is not None:
            texts.append(part.get("before", "") + value + part.get("after", ""))
    return "".join(texts)
