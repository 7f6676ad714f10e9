"""CLIP's tokenizer files from the byte-pair list in the open-clip-torch wheel: no model hub is needed.

python build/clip_tokenizer.py --out DIR
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

from made_folder import hash_of_files, make_folder
from pinned_wheel import PinnedWheel

WHEEL = PinnedWheel(
    "open_clip_torch==3.3.0", "c549ad5ed6bfc119cc11105033c0a2b9d7a2a4afeb40a58a09aab3da1a0043ce"
)
MEMBER = "open_clip/bpe_simple_vocab_16e6.txt.gz"

BOS, EOS = "<|startoftext|>", "<|endoftext|>"
VOCABULARY_SIZE = 49408
# Without the list's heading: what is left of the vocabulary after the bytes, inside and at the end of a word,
# and the two special tokens.
MERGES = slice(1, VOCABULARY_SIZE - 2 * 256 - 2 + 1)


def byte_alphabet() -> list[str]:
    """The 256 printable characters that stand for bytes, in the order of CLIP's vocabulary.

    Printable bytes stand for themselves and come first; the others follow as the characters from U+0100.
    """
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    others = 256 - len(printable)
    return [chr(code) for code in [*printable, *range(256, 256 + others)]]


def vocabulary(merges: list[str]) -> dict[str, int]:
    """Token to id: bytes, bytes at the end of a word, one token a merge, the two special tokens."""
    alphabet = byte_alphabet()
    tokens = alphabet + [f"{character}</w>" for character in alphabet]
    tokens += [merge.replace(" ", "") for merge in merges] + [BOS, EOS]
    return {token: index for index, token in enumerate(tokens)}


def write_tokenizer(folder: Path) -> None:
    """Write the four files of CLIP's own `CLIPTokenizer` into `folder`."""
    (packed,) = WHEEL.read(MEMBER)
    merges = gzip.decompress(packed).decode("utf-8").split("\n")[MERGES]
    size = len(vocabulary(merges))
    if size != VOCABULARY_SIZE:
        raise RuntimeError(f"CLIP's vocabulary has {VOCABULARY_SIZE} tokens, this one {size}.")
    write_clip_files(folder, merges, EOS)


def write_clip_files(folder: Path, merges: list[str], pad_token: str) -> None:
    """Write the four files of a `CLIPTokenizer` with these merges into `folder`."""
    special = {"bos_token": BOS, "eos_token": EOS, "unk_token": EOS, "pad_token": pad_token}
    config = {**special, "model_max_length": 77, "do_lower_case": True, "tokenizer_class": "CLIPTokenizer"}
    for name, content in {
        "vocab.json": vocabulary(merges),
        "special_tokens_map.json": special,
        "tokenizer_config.json": config,
    }.items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    lines = "\n".join(["#version: 0.2", *merges, ""])
    (folder / "merges.txt").write_text(lines, encoding="utf-8", newline="\n")


def make_clip_tokenizer(out: Path) -> bool:
    """Make the tokenizer's folder unless it is there already. True when it was made."""
    return make_folder(out, hash_of_files([Path(__file__)]), write_tokenizer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    out: Path = parser.parse_args().out
    made = make_clip_tokenizer(out)
    print(f"CLIP's tokenizer: {'made' if made else 'already there'} ({out})", flush=True)


if __name__ == "__main__":
    main()
