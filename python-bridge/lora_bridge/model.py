"""The base model, one part at a time, so that no two of them are in memory at once.

It comes from a diffusers folder, a Hugging Face hub name, or a single `.safetensors` file in the original
layout. A single file has neither configs nor tokenizers: the configs are the project's own (`sdxl/`), the
tokenizer is made at set-up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import huggingface_hub
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from transformers.utils import logging as transformers_logging

from lora_bridge import ldm_names, system
from lora_bridge.file_stamp import file_stamps
from lora_bridge.identify import identify
from lora_bridge.own_vae import OwnVae
from lora_bridge.problems import ProblemError
from lora_bridge.text_encoder import TextEncoder
from lora_bridge.unet import Unet
from lora_bridge.vae import Vae
from lora_bridge.weights import UNLOADABLE, empty_model, fill, first_line, frozen, variant_of

if TYPE_CHECKING:
    from collections.abc import Callable

# Their bars would fill the job's console log; phases say how far the loading is.
diffusers_logging.disable_progress_bar()
transformers_logging.disable_progress_bar()

SDXL_CONFIGS = Path(__file__).parent / "sdxl"
PARTS = 3
"""Of a base model, as its loading is reported."""

CachedPart: TypeAlias = Literal["vae", "text_encoder_1", "text_encoder_2"]
"""A part whose results may be kept for the next run."""

_FOLDERS: dict[CachedPart, tuple[str, ...]] = {
    "vae": ("vae",),
    "text_encoder_1": ("text_encoder", "tokenizer"),
    "text_encoder_2": ("text_encoder_2", "tokenizer_2"),
}


class BaseModel(ABC):
    """Where the parts of an SDXL model come from. Each is loaded anew, frozen, onto the CPU."""

    @abstractmethod
    def vae(self) -> Vae:
        """The autoencoder, in fp32: in half precision SDXL's overflows."""

    @abstractmethod
    def text_encoder(self, number: int, dtype: torch.dtype) -> TextEncoder:
        """The first (0) or second (1) text encoder."""

    @abstractmethod
    def unet(self, dtype: torch.dtype) -> Unet:
        """The UNet."""

    @abstractmethod
    def identity(self, part: CachedPart) -> str:
        """What tells this part, with its tokenizer, apart from that of any other model or of this one once it
        is changed. Raises ProblemError when it is not there."""

    @property
    def configs(self) -> Path:
        """The folder with a folder for each part's configuration."""
        return SDXL_CONFIGS


def open_base_model(path: str, vae: str = "") -> BaseModel:
    """The model at a path, or of a hub name, with the VAE at the other path, if any, in place of its own.

    Raises ProblemError for what is no whole SDXL base model, and `vae_missing` or `vae_damaged`.
    """
    base = _open(path)
    return WithOwnVae(base, OwnVae(vae, base.configs / "vae")) if vae.strip() else base


def _open(path: str) -> BaseModel:
    identity = identify(path)
    if identity.problem is not None:
        problem = identity.problem
        raise ProblemError(problem.code, problem.message, problem.hint or None)
    if identity.format == "single_file":
        return SingleFileModel(Path(path).expanduser())
    if identity.format == "hub":
        return DiffusersModel(path, local=False)
    return DiffusersModel(str(Path(path).expanduser()), local=True)


class DiffusersModel(BaseModel):
    """A folder in diffusers' layout, or a hub name that leads to one."""

    def __init__(self, source: str, *, local: bool) -> None:
        self._source = source
        self._local = local

    def vae(self) -> Vae:
        return Vae(self._load(AutoencoderKL, "vae", torch.float32))

    def text_encoder(self, number: int, dtype: torch.dtype) -> TextEncoder:
        suffix = "_2" if number else ""
        kind = CLIPTextModelWithProjection if number else CLIPTextModel
        model = self._load(kind, f"text_encoder{suffix}", dtype)
        tokenizer = self._load(CLIPTokenizer, f"tokenizer{suffix}")
        if not _knows_the_words_of(model, tokenizer):
            raise self._problem(f"tokenizer{suffix}", ValueError("it lacks words that the model has."))
        return TextEncoder(tokenizer, model)

    def unet(self, dtype: torch.dtype) -> Unet:
        return Unet(self._load(UNet2DConditionModel, "unet", dtype))

    def identity(self, part: CachedPart) -> str:
        if not self._local:
            return self._hub_identity(part)
        folders = [Path(self._source) / folder for folder in _FOLDERS[part]]
        try:
            return "\n".join(file_stamps(folder.iterdir()) for folder in folders)
        except OSError as error:
            raise self._problem(part, error) from error

    @property
    def configs(self) -> Path:
        return Path(self._source) if self._local else SDXL_CONFIGS

    def _hub_identity(self, part: CachedPart) -> str:
        """The commit, which stands for all of its files."""
        try:
            config = cast("Any", huggingface_hub).hf_hub_download(
                self._source, f"{_FOLDERS[part][0]}/config.json"
            )
        except UNLOADABLE as error:
            raise self._problem(part, error) from error
        return f"{self._source} {part} {Path(config).parents[1].name}"

    def _load(self, kind: Any, part: str, dtype: torch.dtype | None = None) -> Any:
        options: dict[str, Any] = {"subfolder": part, "local_files_only": self._local}
        if dtype is not None:
            variant = variant_of(Path(self._source) / part) if self._local else None
            options |= {"dtype": dtype, "use_safetensors": True, "variant": variant}
        try:
            loaded = kind.from_pretrained(self._source, **options)
        except UNLOADABLE as error:
            raise self._problem(part, error) from error
        return loaded if dtype is None else frozen(loaded)

    def _problem(self, part: str, error: Exception) -> ProblemError:
        if self._local:
            message = f"The {part} of the base model {self._source} cannot be loaded: {first_line(error)}"
            return ProblemError("model_damaged", message, "Copy or download the model again.")
        return ProblemError(
            "hub_unreachable",
            f"The base model {self._source} cannot be had from the Hugging Face hub: {first_line(error)}",
            "Check the name and the network, or choose a .safetensors file or a folder on this machine.",
        )


class SingleFileModel(BaseModel):
    """A `.safetensors` checkpoint in the original layout, read tensor by tensor: no part is there twice."""

    def __init__(self, file: Path, configs: Path = SDXL_CONFIGS, tokenizer: Path | None = None) -> None:
        self._file = file
        self._configs = configs
        self._tokenizer = tokenizer or system.data_dir() / "clip-tokenizer"

    def vae(self) -> Vae:
        empty = empty_model(AutoencoderKL, self._configs / "vae")
        return Vae(self._filled(empty, torch.float32, self._vae_tensor))

    def text_encoder(self, number: int, dtype: torch.dtype) -> TextEncoder:
        folder = self._configs / ("text_encoder_2" if number else "text_encoder")
        config = cast("Any", CLIPTextConfig).from_json_file(folder / "config.json")
        with torch.device("meta"):
            model = CLIPTextModelWithProjection(config) if number else CLIPTextModel(config)
        read = self._text_encoder_2_tensor if number else self._text_encoder_tensor
        return TextEncoder(self._load_tokenizer(number, model), self._filled(model, dtype, read))

    def unet(self, dtype: torch.dtype) -> Unet:
        empty = empty_model(UNet2DConditionModel, self._configs / "unet")
        return Unet(self._filled(empty, dtype, self._unet_tensor))

    def identity(self, part: CachedPart) -> str:
        files = [self._file, self._configs / _FOLDERS[part][0] / "config.json"]
        if part != "vae":
            files += self._tokenizer.glob("*")
        try:
            return file_stamps(files)
        except OSError as error:
            raise self._problem(error) from error

    @property
    def configs(self) -> Path:
        return self._configs

    def _load_tokenizer(self, number: int, model: Any) -> Any:
        # OpenCLIP pads with the token 0, which reads "!"; OpenAI's CLIP with the end of the text.
        padding = {"pad_token": "!"} if number else {}
        tokenizer = cast("Any", CLIPTokenizer).from_pretrained(
            self._tokenizer, local_files_only=True, model_max_length=77, **padding
        )
        if not _knows_the_words_of(model, tokenizer):
            raise ProblemError(
                "tokenizer_missing",
                f"CLIP's vocabulary is not in {self._tokenizer}.",
                "Start the app with npm start, which completes the set-up.",
            )
        return tokenizer

    def _filled(self, model: Any, dtype: torch.dtype, read: Callable[[Any, str], torch.Tensor]) -> Any:
        try:
            return fill(model, self._file, dtype, read)
        except UNLOADABLE as error:
            raise self._problem(error) from error

    def _problem(self, error: Exception) -> ProblemError:
        return ProblemError(
            "model_damaged",
            f"The base model {self._file} cannot be loaded: {first_line(error)}",
            "It may not be a plain SDXL model. Copy or download it again, or choose another.",
        )

    @staticmethod
    def _unet_tensor(tensors: Any, name: str) -> torch.Tensor:
        return tensors.get_tensor(ldm_names.UNET_PREFIX + ldm_names.unet_name(name))

    @staticmethod
    def _vae_tensor(tensors: Any, name: str) -> torch.Tensor:
        return tensors.get_tensor(ldm_names.VAE_PREFIX + ldm_names.vae_name(name))

    @staticmethod
    def _text_encoder_tensor(tensors: Any, name: str) -> torch.Tensor:
        return tensors.get_tensor(ldm_names.TEXT_ENCODER_PREFIX + name.removeprefix("text_model."))

    @staticmethod
    def _text_encoder_2_tensor(tensors: Any, name: str) -> torch.Tensor:
        original, third = ldm_names.text_encoder_2_name(name)
        tensor: torch.Tensor = tensors.get_tensor(ldm_names.TEXT_ENCODER_2_PREFIX + original)
        if original == "text_projection":
            return tensor.t().contiguous()
        return tensor if third is None else tensor.chunk(3)[third].clone()


class WithOwnVae(BaseModel):
    """A base model with another VAE in place of its own."""

    def __init__(self, base: BaseModel, vae: OwnVae) -> None:
        self._base = base
        self._vae = vae

    def vae(self) -> Vae:
        return self._vae.load()

    def text_encoder(self, number: int, dtype: torch.dtype) -> TextEncoder:
        return self._base.text_encoder(number, dtype)

    def unet(self, dtype: torch.dtype) -> Unet:
        return self._base.unet(dtype)

    def identity(self, part: CachedPart) -> str:
        return self._vae.identity() if part == "vae" else self._base.identity(part)


def _knows_the_words_of(model: Any, tokenizer: Any) -> bool:
    """Where its files are missing, transformers makes a tokenizer without words, and says nothing."""
    return len(tokenizer) >= model.config.vocab_size
