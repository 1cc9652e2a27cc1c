"""Small but real tokenizers, one of each kind that rerankers ship, made from the sample text."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from decoder import DECODERS
from random_models import SpecialIds
from sample_text import TRAINING_LINES

VOCABULARY = 600
LONGEST_PIECE = 8
# The byte alphabet alone is 256 tokens.
BYTE_LEVEL_VOCABULARY = 700
# Longest pair of the tiny models, special tokens included.
MODEL_MAX_LENGTH = 256
# A prompt in bytes and short pieces takes some hundreds.
CHAT_MAX_LENGTH = 1_024

BERT_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
XLMR_SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]
DEBERTA_SPECIALS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
CHAT_SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
LLAMA_SPECIALS = ["<|begin_of_text|>", "<|end_of_text|>", "<|finetune_right_pad_id|>"]
GEMMA_SPECIALS = ["<pad>", "<eos>", "<bos>", "<unk>"]
CHAT_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN_SPLIT = CHAT_SPLIT % ""
# Digits stay together by three.
LLAMA_SPLIT = CHAT_SPLIT % "{1,3}"
MODERNBERT_SPECIALS = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]

TOKENIZER_CLASS = {
    "bert": "BertTokenizer",
    "electra": "ElectraTokenizer",
    "xlm-roberta": "XLMRobertaTokenizer",
    "modernbert": "PreTrainedTokenizerFast",
    "ettin": "PreTrainedTokenizerFast",
    "deberta-v2": "DebertaV2Tokenizer",
    "qwen2": "Qwen2Tokenizer",
    "qwen3": "Qwen2Tokenizer",
    "llama": "PreTrainedTokenizerFast",
    "gemma": "GemmaTokenizer",
}


def bert_template(tokenizer: Tokenizer) -> processors.TemplateProcessing:
    return processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(t, tokenizer.token_to_id(t)) for t in ("[CLS]", "[SEP]")],
    )


def pieces_of(words: Counter[str], continuation: str) -> list[tuple[str, int]]:
    """Every character and the substrings that cover most text, with their counts, best first.

    The library's own trainers settle ties by hash order, which changes from run to run; a fixture
    must not. `continuation` stands before pieces that do not start a word.
    """
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for start in range(len(word)):
            prefix = continuation if start > 0 else ""
            for end in range(start + 1, min(len(word), start + LONGEST_PIECE) + 1):
                counts[prefix + word[start:end]] += count

    def length(piece: str) -> int:
        return len(piece.removeprefix(continuation))

    def rank(piece: str) -> tuple[bool, int, str]:
        return (length(piece) > 1, -counts[piece] * length(piece), piece)

    repeated = [p for p in counts if length(p) == 1 or counts[p] > 1]
    return [(p, counts[p]) for p in sorted(repeated, key=rank)]


def words_of(tokenizer: Tokenizer) -> Counter[str]:
    """The words of the sample text as the tokenizer's own normaliser and splitter see them."""
    words: Counter[str] = Counter()
    for line in TRAINING_LINES:
        normal = tokenizer.normalizer.normalize_str(line)
        words.update(word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal))
    return words


def word_piece() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece())
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    pieces = [piece for piece, _ in pieces_of(words_of(tokenizer), "##")]
    vocabulary = [*BERT_SPECIALS, *pieces][:VOCABULARY]
    tokenizer.model = models.WordPiece(
        {piece: index for index, piece in enumerate(vocabulary)},
        unk_token="[UNK]",
        max_input_chars_per_word=100,
    )
    add_specials(tokenizer, BERT_SPECIALS)
    tokenizer.post_processor = bert_template(tokenizer)
    return tokenizer


def add_specials(tokenizer: Tokenizer, names: list[str]) -> None:
    tokenizer.add_special_tokens(
        [AddedToken(name, normalized=False, special=True) for name in names]
    )


def unigram(specials: list[str], unknown: str, mask: str, strip: bool) -> Tokenizer:
    """Unigram pieces behind Metaspace, as SentencePiece models are shipped."""
    tokenizer = Tokenizer(models.Unigram())
    steps = [normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    if strip:
        steps.insert(0, normalizers.Strip())
    tokenizer.normalizer = normalizers.Sequence(steps)
    metaspace = {"replacement": "▁", "prepend_scheme": "always"}
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(**metaspace)
    tokenizer.decoder = decoders.Metaspace(**metaspace)
    counted = pieces_of(words_of(tokenizer), "")[: VOCABULARY - len(specials)]
    total = sum(count for _, count in counted)
    tokenizer.model = models.Unigram(
        [(name, 0.0) for name in specials]
        + [(piece, math.log(count / total)) for piece, count in counted],
        unk_id=specials.index(unknown),
        byte_fallback=False,
    )
    add_specials(tokenizer, specials)
    tokenizer.add_special_tokens([AddedToken(mask, lstrip=True, normalized=False, special=True)])
    return tokenizer


def xlm_roberta() -> Tokenizer:
    tokenizer = unigram(XLMR_SPECIALS, "<unk>", "<mask>", strip=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return tokenizer


def deberta() -> Tokenizer:
    tokenizer = unigram(DEBERTA_SPECIALS, "[UNK]", "[MASK]", strip=True)
    tokenizer.post_processor = bert_template(tokenizer)
    return tokenizer


def byte_pairs(pre_tokenizer: pre_tokenizers.PreTokenizer, specials: list[str]) -> Tokenizer:
    """Byte-level BPE with its special tokens at the end of the vocabulary."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=BYTE_LEVEL_VOCABULARY,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TRAINING_LINES, trainer)
    add_specials(tokenizer, specials)
    return tokenizer


def byte_level() -> Tokenizer:
    """Its template gives the document type 1 although the model knows one type: what a model is fed is decided
    by its inputs.
    """
    split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = byte_pairs(split, MODERNBERT_SPECIALS)
    tokenizer.post_processor = bert_template(tokenizer)
    return tokenizer


def chat() -> Tokenizer:
    """Splits as Qwen's does, and has the marks of a chat and of a thought."""
    tokenizer = byte_pairs(chat_split(QWEN_SPLIT), CHAT_SPECIALS)
    tokenizer.add_tokens([AddedToken(mark, normalized=False) for mark in ("<think>", "</think>")])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False, use_regex=False)
    return tokenizer


def chat_split(pattern: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def llama() -> Tokenizer:
    """Splits as Llama 3's does, normalises nothing, and takes a word that it has whole without merging."""
    tokenizer = byte_pairs(chat_split(LLAMA_SPLIT), LLAMA_SPECIALS)
    whole = json.loads(tokenizer.to_str())
    whole["normalizer"] = None
    whole["model"]["ignore_merges"] = True
    return Tokenizer.from_str(json.dumps(whole))


def gemma() -> Tokenizer:
    """SentencePiece's byte pairs, as Gemma ships them: blanks are a letter, unknown ones fall back to bytes."""
    blanks = normalizers.Replace(" ", "▁")
    trained = Tokenizer(models.BPE())
    trained.normalizer = blanks
    # Words alone are merged here, so that training takes no pieces longer than a word.
    trained.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, show_progress=False)
    trained.train_from_iterator(TRAINING_LINES, trainer)
    learnt = json.loads(trained.to_str())["model"]
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    pieces = sorted(learnt["vocab"], key=learnt["vocab"].get)
    vocabulary = [*GEMMA_SPECIALS, *bytes_, *pieces]
    tokenizer = Tokenizer(
        models.BPE(
            vocab={piece: index for index, piece in enumerate(vocabulary)},
            merges=[tuple(pair) for pair in learnt["merges"]],
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    tokenizer.normalizer = blanks
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    add_specials(tokenizer, GEMMA_SPECIALS)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A",
        pair="<bos> $A <bos>:1 $B:1",
        special_tokens=[("<bos>", GEMMA_SPECIALS.index("<bos>"))],
    )
    return tokenizer


TRAINERS = {
    "bert": word_piece,
    "electra": word_piece,
    "xlm-roberta": xlm_roberta,
    "modernbert": byte_level,
    "ettin": byte_level,
    "deberta-v2": deberta,
    "qwen2": chat,
    "qwen3": chat,
    "llama": llama,
    "gemma": gemma,
}


def special_names(architecture: str) -> dict[str, str]:
    if architecture == "xlm-roberta":
        names = {"pad": "<pad>", "unk": "<unk>", "cls": "<s>", "sep": "</s>", "mask": "<mask>"}
        return {**names, "bos": "<s>", "eos": "</s>"}
    if architecture in ("qwen2", "qwen3"):
        return {"pad": "<|endoftext|>", "eos": "<|im_end|>"}
    if architecture == "llama":
        return {"pad": LLAMA_SPECIALS[2], "bos": LLAMA_SPECIALS[0], "eos": LLAMA_SPECIALS[1]}
    if architecture == "gemma":
        return {kind: f"<{kind}>" for kind in ("pad", "eos", "bos", "unk")}
    return {kind: f"[{kind.upper()}]" for kind in ("pad", "unk", "cls", "sep", "mask")}


def special_ids(tokenizer: Tokenizer, architecture: str) -> SpecialIds:
    names = special_names(architecture)
    # A decoder has neither a first token nor one between two texts.
    return SpecialIds(
        **{k: tokenizer.token_to_id(names.get(k, names["pad"])) for k in ("pad", "cls", "sep")}
    )


def train(architecture: str) -> Tokenizer:
    return TRAINERS[architecture]()


def write_tokenizer(tokenizer: Tokenizer, architecture: str, folder: Path) -> None:
    """Writes the three files that a model folder has beside its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    specials = {f"{kind}_token": text for kind, text in special_names(architecture).items()}
    config = {
        "tokenizer_class": TOKENIZER_CLASS[architecture],
        "model_max_length": CHAT_MAX_LENGTH if architecture in DECODERS else MODEL_MAX_LENGTH,
        **specials,
    }
    if architecture == "bert":
        config.update(do_lower_case=True, strip_accents=None, tokenize_chinese_chars=True)
    write_json(folder / "tokenizer_config.json", config)
    write_json(folder / "special_tokens_map.json", specials)


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
