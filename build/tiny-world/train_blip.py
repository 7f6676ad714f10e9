"""The tiny BLIP: the real captioning model at small size, learnt from nothing on the world's portraits."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from drawing import held_out_people, read_captions
from training import warmed_cosine
from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from vocabularies import BLIP_PROMPT, make_blip_tokenizer
from world import describe, draw_person, random_person

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL import Image
    from torch import Tensor
    from training import Log
    from world import Person

IMAGE_SIZE, PATCH = 64, 8
WIDTH, HEADS = 96, 4
VISION_LAYERS, TEXT_LAYERS = 4, 3
PICTURES = 10_000
STEPS, BATCH = 1600, 32
LEARNING_RATE = 1e-3
LONGEST = 48
IGNORED = -100


class Captioner(NamedTuple):
    """A BLIP with all that belongs to it."""

    model: Any
    tokenizer: BertTokenizer
    processor: Any

    def save(self, folder: Path) -> None:
        """In transformers' format, the weights in half precision."""
        self.model.half().save_pretrained(folder)
        self.model.float()
        self.tokenizer.save_pretrained(folder)
        self.processor.save_pretrained(folder)

    @torch.no_grad()
    def describe(self, pictures: Sequence[Image.Image]) -> list[str]:
        """What it says of pictures, the likeliest word each time."""
        pixels = self.processor(list(pictures), return_tensors="pt").pixel_values
        prompt = self.tokenizer([BLIP_PROMPT] * len(pictures), return_tensors="pt").input_ids
        said = self.model.generate(pixel_values=pixels, input_ids=prompt, max_length=LONGEST, do_sample=False)
        return self.tokenizer.batch_decode(said[:, prompt.shape[1] - 1 :], skip_special_tokens=True)


def train_blip(seed: int, log: Log) -> Captioner:
    """Train it on people of the training split and their full descriptions."""
    torch.manual_seed(seed)
    chance = random.Random(seed + 3)
    captioner = _new_captioner(seed)
    people = [random_person(chance) for _ in range(PICTURES)]
    pixels = _pixels(captioner, [draw_person(person, chance) for person in people])
    tokens = _tokens(captioner.tokenizer, people)
    log.say(f"BLIP: {len(captioner.tokenizer)} words, {PICTURES} pictures")
    model = captioner.model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.02)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * warmed_cosine(step, STEPS, 100)
        chosen = torch.randint(PICTURES, (BATCH,))
        loss = _loss(captioner, pixels[chosen], tokens[chosen])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 200 == 0:
            log.say(f"BLIP step {step}: loss {loss.item():.4f}")
    model.eval()
    unseen = held_out_people(200, seed + 4)
    said = captioner.describe([draw_person(person, chance) for person in unseen])
    log.say(f"BLIP, right on 200 unseen pictures: {read_captions(said, unseen)}")
    return captioner


def _loss(captioner: Captioner, pixels: Tensor, tokens: Tensor) -> Tensor:
    """Cross entropy of what follows the prompt."""
    padding = captioner.tokenizer.pad_token_id
    labels = tokens.masked_fill(tokens == padding, IGNORED)
    prompt = 1 + len(BLIP_PROMPT.split())
    labels[:, :prompt] = IGNORED
    return captioner.model(
        pixel_values=pixels,
        input_ids=tokens,
        attention_mask=(tokens != padding).long(),
        labels=labels,
    ).loss


def _pixels(captioner: Captioner, pictures: list[Image.Image]) -> Tensor:
    parts = [
        captioner.processor(pictures[start : start + 500], return_tensors="pt").pixel_values
        for start in range(0, len(pictures), 500)
    ]
    return torch.cat(parts)


def _tokens(tokenizer: Any, people: list[Person]) -> Tensor:
    """[N, longest]: `[DEC] a picture of ... [SEP]`, padded."""
    captions = [f"{BLIP_PROMPT} {describe(person)}" for person in people]
    tokens = tokenizer(captions, padding=True, return_tensors="pt").input_ids
    tokens[:, 0] = tokenizer.bos_token_id
    return tokens


def _new_captioner(seed: int) -> Captioner:
    tokenizer = make_blip_tokenizer(seed)
    shape = {"hidden_size": WIDTH, "intermediate_size": 4 * WIDTH, "num_attention_heads": HEADS}
    config = BlipConfig(
        text_config={
            **shape,
            "num_hidden_layers": TEXT_LAYERS,
            "vocab_size": len(tokenizer),
            # Kohya's longest caption and more.
            "max_position_embeddings": 512,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.sep_token_id,
            "sep_token_id": tokenizer.sep_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config={
            **shape,
            "num_hidden_layers": VISION_LAYERS,
            "image_size": IMAGE_SIZE,
            "patch_size": PATCH,
            "initializer_range": 0.02,
        },
        projection_dim=WIDTH,
        image_text_hidden_size=WIDTH,
    )
    processor = BlipImageProcessorPil(size={"height": IMAGE_SIZE, "width": IMAGE_SIZE})
    return Captioner(BlipForConditionalGeneration(config), tokenizer, processor)
