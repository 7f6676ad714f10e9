"""A BLIP captioner of two megabytes, for tests: the real classes, a tiny size, random weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
import transformers
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

if TYPE_CHECKING:
    from pathlib import Path

# The library's signatures tell only some of the arguments that it takes.
_TRANSFORMERS = cast("Any", transformers)

IMAGE_SIZE = 96
WIDTH = 96
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]"]
_VOCABULARY = """
a above an and are around astronaut background bag beach bed behind beside big bird black blonde
blue board boat book bottle bowl boy bridge bright brown building bus cake camera car cat ceiling
chair child city clock close closeup clothes cloud coat colorful computer couch cow crowd cup
curtain dark day desk display dog door down drawing dress drink eating eyes face fence field fire
flag floor flower food for forest fork front fruit garden girl glass glasses grass gray green ground
group hair hand happy hat head helmet her high hill his holding horse house in indoors inside is it
jacket jeans keyboard kitchen lady lake lamp land laptop large laying leaf leather light line little
long looking man many men mirror model moon mountain near neck necklace next night of old on one
open orange other outdoors outside over painting pair pants paper park people person phone photo
picture pillow pink plane plant plate playing pole portrait posing red ribbon riding river road rock
rocket room round row sand screen sea seat shadow shirt shoes shop short shuttle side sign silver
sitting sky small smile smiling snow sofa some space spoon standing star steps stone street stripes
studio suit sun surface table tall the their three to top tower train tree truck tv two umbrella
under uniform up vase very view walking wall watch water wearing white wide window wine wing winter
with woman women wooden words yellow young
"""
WORDS = _VOCABULARY.split()


def make_tiny_blip(folder: Path) -> None:
    """Write a BLIP in transformers' folder format. It says plain words, if not true ones."""
    torch.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    vocabulary = [*SPECIAL[:5], *WORDS, *SPECIAL[5:]]
    tokenizer = _TRANSFORMERS.BertTokenizer(vocab={token: index for index, token in enumerate(vocabulary)})
    tokenizer.add_special_tokens({"bos_token": "[DEC]", "additional_special_tokens": ["[ENC]"]})
    model = _TRANSFORMERS.BlipForConditionalGeneration(_config(tokenizer)).eval()
    _make_talkative(model, tokenizer)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    processor: Any = BlipImageProcessorPil(size={"height": IMAGE_SIZE, "width": IMAGE_SIZE})
    processor.save_pretrained(folder)


def _config(tokenizer: Any) -> Any:
    shape = {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
    }
    return _TRANSFORMERS.BlipConfig(
        text_config={
            **shape,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 512,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.sep_token_id,
            "sep_token_id": tokenizer.sep_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config={**shape, "image_size": IMAGE_SIZE, "patch_size": 16, "initializer_range": 0.02},
        projection_dim=WIDTH,
        image_text_hidden_size=WIDTH,
    )


def _make_talkative(model: Any, tokenizer: Any) -> None:
    """Spread the logits, so that pictures and positions matter; of the special tokens only [SEP] is said."""
    predictions = model.text_decoder.cls.predictions
    with torch.no_grad():
        for name, weight in model.text_decoder.named_parameters():
            if weight.ndim == 2 and "embeddings" not in name and "predictions.decoder" not in name:
                torch.nn.init.orthogonal_(weight, gain=1.5)
        for token in SPECIAL:
            predictions.bias[tokenizer.convert_tokens_to_ids(token)] = -100.0
        predictions.bias[tokenizer.sep_token_id] = 0.3
