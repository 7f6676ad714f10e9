"""The tokenizers of the tiny models: CLIP's byte pairs and BLIP's words, of the world's captions alone."""

from __future__ import annotations

import random
import re
import tempfile
from pathlib import Path

from clip_tokenizer import byte_alphabet, write_clip_files
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import BertTokenizer, CLIPTokenizer
from world import NAMES, describe, random_caption, random_person

MOST_CLIP_TOKENS = 704
CAPTIONS = 4000
BLIP_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
BLIP_ADDED = {"bos_token": "[DEC]", "additional_special_tokens": ["[ENC]"]}
BLIP_PROMPT = "a picture of"
"""What Kohya's captioner lets BLIP complete."""


def write_clip_tokenizers(folder: Path, seed: int) -> None:
    """`tokenizer` and `tokenizer_2` of a diffusers folder: the second pads with `!`, whose id is 0."""
    chance = random.Random(seed)
    captions = [random_caption(random_person(chance), chance) for _ in range(CAPTIONS)]
    merges = _byte_pairs([*captions, *(f" {name} " * 400 for name in NAMES)])
    for name, padding in (("tokenizer", "<|endoftext|>"), ("tokenizer_2", "!")):
        (folder / name).mkdir(parents=True)
        write_clip_files(folder / name, merges, padding)


def _byte_pairs(captions: list[str]) -> list[str]:
    """Merges for a vocabulary of at most `MOST_CLIP_TOKENS`, most frequent first, each as `a b</w>`."""
    alphabet = byte_alphabet()
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=MOST_CLIP_TOKENS, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False
    )
    tokenizer.train_from_iterator(captions, trainer)
    with tempfile.TemporaryDirectory() as temporary:
        tokenizer.model.save(temporary)
        lines = Path(temporary, "merges.txt").read_text(encoding="utf-8").splitlines()
    merges = [line for line in lines if not line.startswith("#")]
    # The trainer counts only those letters that end a word as tokens of their own; CLIP has all.
    return merges[: MOST_CLIP_TOKENS - 2 * len(alphabet) - 2]


def load_clip_tokenizers(folder: Path) -> tuple[CLIPTokenizer, CLIPTokenizer]:
    """Both, as diffusers loads them."""
    first, second = (
        CLIPTokenizer.from_pretrained(folder / name, local_files_only=True)
        for name in ("tokenizer", "tokenizer_2")
    )
    return first, second


def make_blip_tokenizer(seed: int) -> BertTokenizer:
    """Every word that a caption can hold is one token."""
    chance = random.Random(seed)
    words = set(BLIP_PROMPT.split())
    for _ in range(CAPTIONS):
        person = random_person(chance)
        words |= set(re.findall(r"\w+|,", f"{describe(person)} {random_caption(person, chance)}"))
    vocabulary = [*BLIP_SPECIAL, *sorted(words - set(NAMES)), "[DEC]", "[ENC]"]
    tokenizer = BertTokenizer(vocab={word: number for number, word in enumerate(vocabulary)})
    tokenizer.add_special_tokens(BLIP_ADDED)
    return tokenizer


def drop_duplicates(folder: Path) -> None:
    """transformers also saves `tokenizer.json`, which says what vocabulary and merges say."""
    for file in folder.glob("tokenizer*/tokenizer.json"):
        file.unlink()
