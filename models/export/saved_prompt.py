"""Reads the prompt of a folder that sentence-transformers has saved: a chat template, and an instruction."""

from __future__ import annotations

import json
from pathlib import Path

from jinja2 import TemplateError
from transformers import AutoTokenizer

from module_chain import MODULES_FILE
from prompts import PROMPTS, joined, named_prompt

TEMPLATE_FILE = "chat_template.jinja"
CONFIG_FILE = "config_sentence_transformers.json"
# No text of a prompt holds them, and no template changes them.
MARKS = {"instruction": "\x01i\x01", "query": "\x01q\x01", "document": "\x01d\x01"}
ROLES = {"instruction": "system", "query": "query", "document": "document"}
# Marks that tokenizers put before a text whether or not its template has them.
BEGINNINGS = ("<bos>", "<s>", "<|begin_of_text|>")


def saved_instruction(folder: Path) -> str | None:
    """The instruction that the folder names as its default."""
    path = folder / CONFIG_FILE
    if not path.exists():
        return None
    config = json.loads(path.read_text(encoding="utf-8"))
    return (config.get("prompts") or {}).get(config.get("default_prompt_name")) or None


def saved_prompt(folder: Path, trust_remote_code: bool) -> dict | None:
    """The known prompt whose texts the folder's chat template makes; None if there is none."""
    if not (folder / MODULES_FILE).exists() or not (folder / TEMPLATE_FILE).exists():
        return None
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=trust_remote_code)
    template = (folder / TEMPLATE_FILE).read_text(encoding="utf-8")

    def rendered(*slots: str) -> str | None:
        messages = [{"role": ROLES[slot], "content": MARKS[slot]} for slot in slots]
        try:
            text = tokenizer.apply_chat_template(
                messages, chat_template=template, tokenize=False, add_generation_prompt=True
            )
        except (TemplateError, TypeError, ValueError):
            # A template for talks: it knows neither query nor document.
            return None
        return comparable(text)

    asked = rendered("instruction", "query", "document")
    plain = rendered("query", "document")
    for path in sorted(PROMPTS.glob("*.json")):
        prompt = named_prompt(path.stem)
        own = own_instruction(folder, prompt, plain)
        told = comparable(joined(prompt.get("partsWithInstruction", prompt["parts"]), MARKS))
        takes = MARKS["instruction"] in told
        unasked = {slot: mark for slot, mark in MARKS.items() if slot != "instruction"}
        # A template may read no instruction though the model's prompt has a slot for one.
        if asked == told or plain == comparable(joined(prompt["parts"], unasked)):
            return {**prompt, "instruction": own} if takes and own is not None else prompt
    return None


def own_instruction(folder: Path, prompt: dict, plain: str | None) -> str | None:
    """The folder's default instruction, or the one that its template has in words."""
    saved = saved_instruction(folder)
    if saved is not None or plain is None:
        return saved
    parts = prompt.get("partsWithInstruction", prompt["parts"])
    before, mark, after = comparable(joined(parts, MARKS)).partition(MARKS["instruction"])
    if mark == "" or not (plain.startswith(before) and plain.endswith(after)):
        return None
    return plain[len(before) : len(plain) - len(after)] or None


def comparable(text: str) -> str:
    """Jinja drops the line break at the end of a template, and files end in one more or less."""
    for beginning in BEGINNINGS:
        text = text.removeprefix(beginning)
    return text.rstrip()
