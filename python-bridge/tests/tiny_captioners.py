"""BLIP-2, GIT and WD14 models of some megabytes at most, for tests: real classes and formats."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import onnx
import torch
import transformers
from onnx import TensorProto, helper, numpy_helper
from tiny_blip import SPECIAL, WORDS
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

if TYPE_CHECKING:
    from collections.abc import Sequence

# The libraries' signatures tell only some of the arguments that they take.
_TRANSFORMERS = cast("Any", transformers)
_ONNX = cast("Any", helper)

SIDE = 32
_SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
}
_VISION = {**_SHAPE, "image_size": SIDE, "patch_size": 8}


def make_tiny_blip2(folder: Path) -> None:
    """Write a BLIP-2 with an OPT, in transformers' folder format."""
    torch.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    tokenizer = _tokenizer("<image>")
    text = _TRANSFORMERS.OPTConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        word_embed_proj_dim=32,
        ffn_dim=64,
        num_hidden_layers=1,
        num_attention_heads=4,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    config = _TRANSFORMERS.Blip2Config(
        vision_config={**_VISION, "initializer_range": 0.5},
        qformer_config={**_SHAPE, "encoder_hidden_size": 32, "vocab_size": 8},
        text_config=text.to_dict(),
        num_query_tokens=4,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )
    model = _TRANSFORMERS.Blip2ForConditionalGeneration(config)
    _spread(model, "language_model.lm_head.weight")
    _write(folder, model, tokenizer, BlipImageProcessorPil(size={"height": SIDE, "width": SIDE}))


def make_tiny_git(folder: Path) -> None:
    """Write a GIT, in transformers' folder format."""
    torch.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    tokenizer = _tokenizer()
    config = _TRANSFORMERS.GitConfig(
        **_SHAPE,
        vision_config=_VISION,
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = _TRANSFORMERS.GitForCausalLM(config)
    _spread(model, "output.weight")
    processor = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    _write(folder, model, tokenizer, processor)


TAGS: Sequence[tuple[str, int, str]] = (
    ("general", 9, "green"),
    ("explicit", 9, "blue"),
    ("red_dress", 0, "red"),
    ("green_field", 0, "green"),
    ("blue_sky", 0, "blue"),
    (">_<", 0, "red"),
    ("nova_(atelier)", 4, "red"),
)
"""Name, category, and the colour whose mean over the picture is the tag's probability."""


def make_tiny_wd14(folder: Path, side: int = SIDE) -> None:
    """Write a tagger whose probabilities are mean colours, in the layout of SmilingWolf's repositories."""
    channels = ("blue", "green", "red")
    weights = np.zeros((3, len(TAGS)), np.float32)
    for column, (_, _, colour) in enumerate(TAGS):
        weights[channels.index(colour), column] = 1 / 255
    graph = _ONNX.make_graph(
        [
            _ONNX.make_node("ReduceMean", ["input"], ["means"], axes=[1, 2], keepdims=0),
            _ONNX.make_node("MatMul", ["means", "weights"], ["output"]),
        ],
        "tagger",
        [_ONNX.make_tensor_value_info("input", TensorProto.FLOAT, ["N", side, side, 3])],
        [_ONNX.make_tensor_value_info("output", TensorProto.FLOAT, ["N", len(TAGS)])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = _ONNX.make_model(graph, opset_imports=[_ONNX.make_opsetid("", 13)], ir_version=8)
    folder.mkdir(parents=True, exist_ok=True)
    cast("Any", onnx).save(model, str(folder / "model.onnx"))
    rows = [f"{number},{name},{category},1" for number, (name, category, _) in enumerate(TAGS)]
    (folder / "selected_tags.csv").write_text("\n".join(["tag_id,name,category,count", *rows, ""]))


def _tokenizer(*more: str) -> Any:
    vocabulary = [*SPECIAL[:5], *WORDS, *more]
    tokenizer = _TRANSFORMERS.BertTokenizer(vocab={token: index for index, token in enumerate(vocabulary)})
    if more:
        tokenizer.add_special_tokens({"additional_special_tokens": list(more)})
    return tokenizer


def _spread(model: Any, words: str) -> None:
    """Make what is said depend on the picture."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim >= 2 and name != words:
                torch.nn.init.normal_(weight, std=0.3)
        torch.nn.init.normal_(model.get_parameter(words), std=0.3)


def _write(folder: Path, model: Any, tokenizer: Any, processor: Any) -> None:
    for part in (model.eval(), tokenizer, processor):
        part.save_pretrained(folder)


MAKERS = {"blip2": make_tiny_blip2, "git": make_tiny_git, "wd14": make_tiny_wd14}

if __name__ == "__main__":
    kind, place = sys.argv[1:]
    MAKERS[kind](Path(place))
