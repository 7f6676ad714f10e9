# Generated from shared/protocol.ts, picture-protocol.ts and worker-protocol.ts by `npm run generate`. Do not edit.

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, field


Image: TypeAlias = Annotated[str, Meta(min_length=1)]


Images: TypeAlias = Annotated[list[Image], Meta(min_length=1)]


class CaptionConfig(Struct, kw_only=True, forbid_unknown_fields=True):
    model: Annotated[str, Meta(min_length=1)]
    image_dir: Annotated[str, Meta(min_length=1)]
    caption_extension: Annotated[str, Meta(min_length=1, pattern='^\\.[^<>:"/\\\\|?*\\s]+$')]
    prefix: str
    postfix: str
    batch_size: Annotated[int, Meta(ge=1, le=64)]
    use_beam_search: bool
    num_beams: Annotated[int, Meta(ge=1, le=16)]
    top_p: Annotated[float, Meta(ge=0.0, le=1.0)]
    max_length: Annotated[int, Meta(ge=1, le=400)]
    min_length: Annotated[int, Meta(ge=0, le=400)]
    existing: Literal["overwrite", "skip", "append"]
    images: Images | None
    candidates: Annotated[int, Meta(ge=0, le=8)]
    blip2_num_beams: Annotated[int, Meta(ge=1, le=16)]
    blip2_min_new_tokens: Annotated[int, Meta(ge=0, le=300)]
    blip2_max_new_tokens: Annotated[int, Meta(ge=1, le=300)]
    blip2_length_penalty: Annotated[float, Meta(ge=-1.0, le=2.0)]
    blip2_repetition_penalty: Annotated[float, Meta(ge=1.0, le=5.0)]
    blip2_temperature: Annotated[float, Meta(ge=0.5, le=1.0)]
    wd14_general_threshold: Annotated[float, Meta(ge=0.0, le=1.0)]
    wd14_character_threshold: Annotated[float, Meta(ge=0.0, le=1.0)]
    wd14_separator: Annotated[str, Meta(min_length=1)]
    wd14_remove_underscore: bool
    wd14_undesired_tags: str
    wd14_tag_replacement: str
    wd14_rating_tags: Literal["none", "first", "last"]
    wd14_character_tags_first: bool
    wd14_character_tag_expand: bool


UnetLr: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]


TextEncoder2Lr: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]


LoraType: TypeAlias = Literal[
    "Standard",
    "Kohya LoCon",
    "LoRA-FA",
    "Kohya DyLoRA",
    "Kohya LoHa",
    "Kohya LoKr",
    "LyCORIS/LoCon",
    "LyCORIS/LoHa",
    "LyCORIS/LoKr",
    "LyCORIS/iA3",
    "LyCORIS/GLoRA",
    "LyCORIS/BOFT",
    "LyCORIS/Diag-OFT",
    "LyCORIS/DyLoRA",
    "LyCORIS/Native Fine-Tuning",
]


Sampler: TypeAlias = Literal[
    "dpm++_2m_karras",
    "dpm++_2m",
    "dpm++_2m_sde_karras",
    "unipc",
    "ddim",
    "pndm",
    "lms",
    "euler",
    "euler_a",
    "heun",
    "dpm_2",
    "dpm_2_a",
    "dpmsolver",
    "dpmsolver++",
    "dpmsingle",
    "k_lms",
    "k_euler",
    "k_euler_a",
    "k_dpm_2",
    "k_dpm_2_a",
]


class CaptionJob(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="caption"):
    schema_version: Literal[1] = field(name="schemaVersion")
    id: Annotated[str, Meta(min_length=1)]
    name: Annotated[str, Meta(min_length=1)]
    created_at: str = field(name="createdAt")
    app_version: str = field(name="appVersion")
    config: CaptionConfig


class ConceptSource(Struct, kw_only=True, forbid_unknown_fields=True):
    folder: str
    prompt: str
    repeats: Annotated[int, Meta(ge=1)]
    regularization: bool
    files: list[str] | UnsetType = UNSET


ResolutionItem: TypeAlias = Annotated[int, Meta(ge=1)]


class Bucket(Struct, kw_only=True, forbid_unknown_fields=True):
    resolution: tuple[ResolutionItem, ResolutionItem]
    count: Annotated[int, Meta(ge=1)]
    images: Annotated[int, Meta(ge=0)]
    batches: Annotated[int, Meta(ge=0)]
    short: bool
    enlarged: Annotated[int, Meta(ge=0)]


class Concept(Struct, kw_only=True, forbid_unknown_fields=True):
    folder: str
    prompt: str
    repeats: Annotated[int, Meta(ge=1)]
    regularization: bool
    images: Annotated[int, Meta(ge=0)]


CheckpointBytes: TypeAlias = Annotated[int, Meta(ge=0)]


StateBytes: TypeAlias = Annotated[int, Meta(ge=0)]


NeedBytes: TypeAlias = Annotated[int, Meta(ge=0)]


FreeBytes: TypeAlias = Annotated[int, Meta(ge=0)]


class Disk(Struct, kw_only=True, forbid_unknown_fields=True):
    folder: str
    need_bytes: NeedBytes | None = field(name="needBytes")
    free_bytes: FreeBytes | None = field(name="freeBytes")


class Problem(Struct, kw_only=True, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=1)]
    message: Annotated[str, Meta(min_length=1)]
    hint: str | UnsetType = UNSET


MemoryBytes: TypeAlias = Annotated[int, Meta(ge=0)]


class Device(Struct, kw_only=True, forbid_unknown_fields=True):
    kind: Literal["cuda", "cpu"]
    name: str
    memory_bytes: MemoryBytes | None = field(name="memoryBytes")


class Versions(Struct, kw_only=True, forbid_unknown_fields=True):
    python: str
    torch: str
    diffusers: str
    transformers: str


class HelloEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="hello"):
    protocol_version: int = field(name="protocolVersion")
    pid: int
    versions: Versions
    device: Device
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class PhaseEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="phase"):
    phase: Literal[
        "starting",
        "loading_model",
        "caching_latents",
        "caching_captions",
        "training",
        "validating",
        "sampling",
        "captioning",
        "saving",
    ]
    done: Annotated[int, Meta(ge=0)]
    total: Annotated[int, Meta(ge=0)]
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class LearningRate(Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    value: float


class KeyNorms(Struct, kw_only=True, forbid_unknown_fields=True):
    scaled: Annotated[int, Meta(ge=0)]
    average: float
    largest: float


class ValidationEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="validation"):
    step: Annotated[int, Meta(ge=1)]
    epoch: Annotated[int, Meta(ge=1)]
    loss: float | None
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class CheckpointEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="checkpoint"):
    path: str
    bytes: Annotated[int, Meta(ge=0)]
    step: Annotated[int, Meta(ge=0)]
    epoch: Annotated[int, Meta(ge=0)]
    final: bool
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class CheckpointRemovedEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="checkpointRemoved"):
    path: str
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class StateEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="state"):
    path: str
    bytes: Annotated[int, Meta(ge=0)]
    step: Annotated[int, Meta(ge=0)]
    epoch: Annotated[int, Meta(ge=0)]
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class ResumedEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="resumed"):
    path: str
    step: Annotated[int, Meta(ge=0)]
    epoch: Annotated[int, Meta(ge=0)]
    changes: list[str]
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class SampleEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="sample"):
    path: str
    index: Annotated[int, Meta(ge=0)]
    prompt: str
    negative_prompt: str = field(name="negativePrompt")
    width: Annotated[int, Meta(ge=1)]
    height: Annotated[int, Meta(ge=1)]
    seed: Annotated[int, Meta(ge=0, le=4294967295)]
    sample_steps: Annotated[int, Meta(ge=1)] = field(name="sampleSteps")
    cfg_scale: float = field(name="cfgScale")
    sampler: Sampler
    step: Annotated[int, Meta(ge=0)]
    epoch: Annotated[int, Meta(ge=0)]
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class CaptionEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="caption"):
    image: str
    caption_file: str = field(name="captionFile")
    outcome: Literal["written", "skipped", "failed", "offered"]
    text: str
    candidates: list[str]
    reason: str
    done: Annotated[int, Meta(ge=0)]
    total: Annotated[int, Meta(ge=0)]
    images_per_second: Annotated[float, Meta(ge=0.0)] = field(name="imagesPerSecond")
    eta_seconds: Annotated[float, Meta(ge=0.0)] = field(name="etaSeconds")
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class LogEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="log"):
    level: Literal["info", "warning", "error"]
    text: str
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class HeartbeatEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="heartbeat"):
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class WarningEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="warning"):
    problem: Problem
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class FailedEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="failed"):
    problem: Problem
    traceback: str
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class FinishedEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="finished"):
    outcome: Literal["completed", "stopped", "paused"]
    outputs: list[str]
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class JobState(Struct, kw_only=True, forbid_unknown_fields=True):
    schema_version: Literal[1] = field(name="schemaVersion")
    status: Literal["running", "completed", "stopped", "paused", "failed"]
    phase: Literal[
        "starting",
        "loading_model",
        "caching_latents",
        "caching_captions",
        "training",
        "validating",
        "sampling",
        "captioning",
        "saving",
    ]
    done: Annotated[int, Meta(ge=0)]
    total: Annotated[int, Meta(ge=0)]
    updated_at: float = field(name="updatedAt")
    outputs: list[str]
    problem: Problem | None


class PictureRequest(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="picture"):
    id: int
    path: str
    thumbnail: str


class ShowRequest(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="show"):
    id: int
    path: str
    target: str
    side: Annotated[int, Meta(ge=1, le=16383)]
    cropped: bool


class BucketParameters(Struct, kw_only=True, forbid_unknown_fields=True):
    max_resolution: Annotated[
        str,
        Meta(min_length=1, pattern="^\\s*[1-9]\\d{1,4}\\s*(,\\s*[1-9]\\d{1,4}\\s*)?$"),
    ]
    enable_bucket: bool
    min_bucket_reso: Annotated[int, Meta(ge=64, le=4096)]
    max_bucket_reso: Annotated[int, Meta(ge=64, le=4096)]
    bucket_reso_steps: Annotated[int, Meta(ge=32, le=128)]
    bucket_no_upscale: bool


SizeItem: TypeAlias = Annotated[int, Meta(ge=1)]


Size: TypeAlias = tuple[SizeItem, SizeItem]


class PlaceRequest(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="place"):
    id: int
    config: BucketParameters
    sizes: Annotated[list[Size], Meta(max_length=20000)]


class PictureFacts(Struct, kw_only=True, forbid_unknown_fields=True):
    width: Annotated[int, Meta(ge=0)]
    height: Annotated[int, Meta(ge=0)]
    format: str
    problem: str | None


class ShownPicture(Struct, kw_only=True, forbid_unknown_fields=True):
    width: Annotated[int, Meta(ge=0)]
    height: Annotated[int, Meta(ge=0)]


BucketItem: TypeAlias = Annotated[int, Meta(ge=1)]


ResizedItem: TypeAlias = Annotated[int, Meta(ge=1)]


CropItem: TypeAlias = Annotated[int, Meta(ge=0)]


class Place(Struct, kw_only=True, forbid_unknown_fields=True):
    size: tuple[SizeItem, SizeItem]
    bucket: tuple[BucketItem, BucketItem]
    resized: tuple[ResizedItem, ResizedItem]
    crop: tuple[CropItem, CropItem]
    enlarged: bool


class InspectRequest(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="inspect"):
    id: int
    path: str


class IdentifyRequest(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="identify"):
    id: int
    path: str


class CaptionerRequest(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="captioner"):
    id: int
    path: str


class ProbeRequest(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="probe"):
    id: int


class CaptionerIdentity(Struct, kw_only=True, forbid_unknown_fields=True):
    kind: Literal["blip", "blip-2", "git", "wd14"] | None
    problem: Problem | None


class BucketPicture(Struct, kw_only=True, forbid_unknown_fields=True):
    path: str
    size: tuple[SizeItem, SizeItem]
    resized: tuple[ResizedItem, ResizedItem]
    crop: tuple[CropItem, CropItem]
    crop_moves: bool = field(name="cropMoves")
    repeats: Annotated[int, Meta(ge=0)]
    regularization: bool
    enlarged: bool


class BucketPictures(Struct, kw_only=True, forbid_unknown_fields=True):
    total: Annotated[int, Meta(ge=0)]
    pictures: list[BucketPicture]


class Parts(Struct, kw_only=True, forbid_unknown_fields=True):
    unet: Annotated[int, Meta(ge=0)]
    text_encoder1: Annotated[int, Meta(ge=0)] = field(name="textEncoder1")
    text_encoder2: Annotated[int, Meta(ge=0)] = field(name="textEncoder2")
    other: Annotated[int, Meta(ge=0)]


class LoraModule(Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    rank: Annotated[int, Meta(ge=0)]
    alpha: float | None
    up_max: float | None = field(name="upMax")
    non_finite: list[str] = field(name="nonFinite")


class ModelIdentity(Struct, kw_only=True, forbid_unknown_fields=True):
    kind: Literal["sdxl", "sdxl_refiner", "sd1", "sd2", "sd3", "flux", "lora", "unknown", "missing", "hub"]
    format: Literal["single_file", "diffusers", "hub", "none"]
    problem: Problem | None


class Probe(Struct, kw_only=True, forbid_unknown_fields=True):
    versions: Versions
    devices: Annotated[list[Device], Meta(min_length=1)]


class MemoryParts(Struct, kw_only=True, forbid_unknown_fields=True):
    weights: Annotated[int, Meta(ge=0)]
    adapter: Annotated[int, Meta(ge=0)]
    optimizer: Annotated[int, Meta(ge=0)]
    activations: Annotated[int, Meta(ge=0)]
    libraries: Annotated[int, Meta(ge=0)]


class PhaseMemory(Struct, kw_only=True, forbid_unknown_fields=True):
    phase: Literal[
        "starting",
        "loading_model",
        "caching_latents",
        "caching_captions",
        "training",
        "validating",
        "sampling",
        "captioning",
        "saving",
    ]
    bytes: Annotated[int, Meta(ge=0)]
    file_bytes: Annotated[int, Meta(ge=0)] = field(name="fileBytes")


class MemoryChange(Struct, kw_only=True, forbid_unknown_fields=True):
    values: dict[str, str | float | bool]
    advice: str
    cost: str


class WorkerHello(Struct, kw_only=True, forbid_unknown_fields=True):
    type: Literal["hello"]
    protocol_version: int = field(name="protocolVersion")
    pid: int


class TrainConfig(Struct, kw_only=True, forbid_unknown_fields=True):
    pretrained_model_name_or_path: Annotated[str, Meta(min_length=1)]
    v_parameterization: bool
    vae: str
    output_name: Annotated[
        str,
        Meta(min_length=1, pattern='^(?!\\.)[^<>:"/\\\\|?*\\u0000-\\u001f]+(?<![. ])$'),
    ]
    save_precision: Literal["float", "fp16", "bf16"]
    training_comment: str
    train_data_dir: str
    dataset_repeats: Annotated[int, Meta(ge=1, le=100000)]
    reg_data_dir: str
    dataset_config: str
    conditioning_data_dir: str
    broken_images: Literal["skip", "refuse"]
    output_dir: Annotated[str, Meta(min_length=1)]
    logging_dir: Annotated[str, Meta(min_length=1)]
    train_batch_size: Annotated[int, Meta(ge=1, le=64)]
    epoch: Annotated[int, Meta(ge=1, le=100000)]
    max_train_steps: Annotated[int, Meta(ge=0, le=10000000)]
    caption_extension: Annotated[str, Meta(min_length=1, pattern='^\\.[^<>:"/\\\\|?*\\s]+$')]
    mixed_precision: Literal["no", "fp16", "bf16"]
    seed: Annotated[int, Meta(ge=0, le=4294967295)]
    cache_latents: bool
    cache_latents_to_disk: bool
    max_resolution: Annotated[
        str,
        Meta(min_length=1, pattern="^\\s*[1-9]\\d{1,4}\\s*(,\\s*[1-9]\\d{1,4}\\s*)?$"),
    ]
    enable_bucket: bool
    min_bucket_reso: Annotated[int, Meta(ge=64, le=4096)]
    max_bucket_reso: Annotated[int, Meta(ge=64, le=4096)]
    lora_type: LoraType
    network_dim: Annotated[int, Meta(ge=1, le=100000)]
    network_alpha: Annotated[float, Meta(ge=1e-05, le=100000.0)]
    conv_dim: Annotated[int, Meta(ge=0, le=100000)]
    conv_alpha: Annotated[float, Meta(ge=0.0, le=100000.0)]
    network_weights: str
    dim_from_weights: bool
    base_weights: str
    base_weights_multiplier: str
    network_dropout: Annotated[float, Meta(ge=0.0, le=1.0)]
    rank_dropout: Annotated[float, Meta(ge=0.0, le=1.0)]
    module_dropout: Annotated[float, Meta(ge=0.0, le=1.0)]
    rank_dropout_scale: bool
    scale_weight_norms: Annotated[float, Meta(ge=0.0, le=1000.0)]
    loraplus_lr_ratio: Annotated[float, Meta(ge=0.0, le=128.0)]
    loraplus_unet_lr_ratio: Annotated[float, Meta(ge=0.0, le=128.0)]
    loraplus_text_encoder_lr_ratio: Annotated[float, Meta(ge=0.0, le=128.0)]
    down_lr_weight: str
    mid_lr_weight: str
    up_lr_weight: str
    block_lr_zero_threshold: Annotated[float, Meta(ge=0.0, le=1.0)]
    block_dims: str
    block_alphas: str
    conv_block_dims: str
    conv_block_alphas: str
    lycoris_preset: Annotated[str, Meta(min_length=1)]
    factor: Annotated[int, Meta(ge=-1, le=64)]
    decompose_both: bool
    use_tucker: bool
    use_cp: bool
    use_scalar: bool
    dora_wd: bool
    bypass_mode: bool
    constrain: Annotated[float, Meta(ge=0.0, le=1000.0)]
    rescaled: bool
    train_norm: bool
    train_on_input: bool
    unit: Annotated[int, Meta(ge=1, le=64)]
    optimizer: Annotated[str, Meta(min_length=1)]
    optimizer_args: str
    learning_rate: Annotated[float, Meta(ge=0.0, le=1.0)]
    unet_lr: UnetLr | None
    text_encoder_lr: Annotated[float, Meta(ge=0.0, le=1.0)]
    text_encoder2_lr: TextEncoder2Lr | None
    lr_scheduler: Literal[
        "constant",
        "constant_with_warmup",
        "cosine",
        "cosine_with_restarts",
        "cosine_with_min_lr",
        "linear",
        "polynomial",
        "inverse_sqrt",
        "warmup_stable_decay",
        "piecewise_constant",
        "adafactor",
    ]
    lr_scheduler_type: str
    lr_scheduler_args: str
    lr_warmup: Annotated[int, Meta(ge=0, le=100)]
    lr_warmup_steps: Annotated[int, Meta(ge=0, le=10000000)]
    lr_decay_steps: Annotated[int, Meta(ge=0, le=10000000)]
    lr_scheduler_num_cycles: Annotated[int, Meta(ge=1, le=10000)]
    lr_scheduler_power: Annotated[float, Meta(ge=0.0, le=100.0)]
    lr_scheduler_timescale: Annotated[int, Meta(ge=0, le=10000000)]
    lr_scheduler_min_lr_ratio: Annotated[float, Meta(ge=0.0, le=1.0)]
    max_grad_norm: Annotated[float, Meta(ge=0.0, le=1000.0)]
    save_every_n_epochs: Annotated[int, Meta(ge=0, le=100000)]
    save_every_n_steps: Annotated[int, Meta(ge=0, le=10000000)]
    save_n_epoch_ratio: Annotated[int, Meta(ge=0, le=100000)]
    save_last_n_epochs: Annotated[int, Meta(ge=0, le=100000)]
    save_last_n_steps: Annotated[int, Meta(ge=0, le=10000000)]
    use_ema: bool
    ema_decay: Annotated[float, Meta(ge=0.0, le=0.999999)]
    resume: str
    save_state_every_n_minutes: Annotated[int, Meta(ge=0, le=10000)]
    save_state: bool
    save_last_n_epochs_state: Annotated[int, Meta(ge=0, le=100000)]
    save_last_n_steps_state: Annotated[int, Meta(ge=0, le=10000000)]
    save_state_on_train_end: bool
    log_with: Literal["tensorboard", "none"]
    max_token_length: Literal["75", "150", "225"]
    shuffle_caption: bool
    caption_separator: Annotated[str, Meta(min_length=1)]
    keep_tokens: Annotated[int, Meta(ge=0, le=255)]
    keep_tokens_separator: str
    secondary_separator: str
    enable_wildcard: bool
    caption_prefix: str
    caption_suffix: str
    caption_dropout_rate: Annotated[float, Meta(ge=0.0, le=1.0)]
    caption_dropout_every_n_epochs: Annotated[int, Meta(ge=0, le=100000)]
    caption_tag_dropout_rate: Annotated[float, Meta(ge=0.0, le=1.0)]
    token_warmup_min: Annotated[int, Meta(ge=1, le=1000)]
    token_warmup_step: Annotated[float, Meta(ge=0.0, le=10000000.0)]
    weighted_captions: bool
    cache_text_encoder_outputs: bool
    cache_text_encoder_outputs_to_disk: bool
    bucket_no_upscale: bool
    bucket_reso_steps: Annotated[int, Meta(ge=32, le=128)]
    resize_interpolation: Literal[
        "auto", "lanczos", "area", "bicubic", "bilinear", "nearest", "box", "hamming"
    ]
    random_crop: bool
    face_crop_aug_range: Annotated[str, Meta(pattern="^(\\s*\\d+(\\.\\d+)?\\s*,\\s*\\d+(\\.\\d+)?\\s*)?$")]
    flip_aug: bool
    color_aug: bool
    alpha_mask: bool
    masked_loss: bool
    vae_batch_size: Annotated[int, Meta(ge=0, le=32)]
    kohya_exact: bool
    noise_offset: Annotated[float, Meta(ge=0.0, le=1.0)]
    noise_offset_random_strength: bool
    adaptive_noise_scale: Annotated[float, Meta(ge=-1.0, le=1.0)]
    multires_noise_iterations: Annotated[int, Meta(ge=0, le=64)]
    multires_noise_discount: Annotated[float, Meta(ge=0.0, le=1.0)]
    ip_noise_gamma: Annotated[float, Meta(ge=0.0, le=1.0)]
    ip_noise_gamma_random_strength: bool
    zero_terminal_snr: bool
    min_timestep: Annotated[int, Meta(ge=0, le=999)]
    max_timestep: Annotated[int, Meta(ge=1, le=1000)]
    min_snr_gamma: Annotated[float, Meta(ge=0.0, le=100.0)]
    debiased_estimation_loss: bool
    scale_v_pred_loss_like_noise_pred: bool
    v_pred_like_loss: Annotated[float, Meta(ge=0.0, le=1.0)]
    loss_type: Literal["l2", "l1", "huber", "smooth_l1"]
    huber_schedule: Literal["snr", "exponential", "constant"]
    huber_c: Annotated[float, Meta(ge=0.0001, le=1.0)]
    huber_scale: Annotated[float, Meta(ge=0.0001, le=10.0)]
    prior_loss_weight: Annotated[float, Meta(ge=0.0, le=10.0)]
    gradient_checkpointing: bool
    checkpointing_method: Literal["full", "selective"]
    gradient_accumulation_steps: Annotated[int, Meta(ge=1, le=120)]
    quantize_base_model: Literal["none", "fp8", "int8", "nf4"]
    full_bf16: bool
    num_processes: Annotated[int, Meta(ge=1, le=64)]
    gpu_ids: Annotated[str, Meta(pattern="^\\s*(\\d{1,3}(\\s*,\\s*\\d{1,3})*)?\\s*$")]
    num_machines: Annotated[int, Meta(ge=1, le=256)]
    machine_rank: Annotated[int, Meta(ge=0, le=255)]
    main_process_ip: str
    main_process_port: Annotated[int, Meta(ge=0, le=65535)]
    ddp_timeout: Annotated[int, Meta(ge=1, le=10000)]
    validation_split: Annotated[float, Meta(ge=0.0, le=0.9)]
    validation_seed: Annotated[int, Meta(ge=0, le=4294967295)]
    validate_every_n_steps: Annotated[int, Meta(ge=0, le=10000000)]
    validate_every_n_epochs: Annotated[int, Meta(ge=1, le=100000)]
    max_validation_steps: Annotated[int, Meta(ge=0, le=100000)]
    sample_every_n_steps: Annotated[int, Meta(ge=0, le=10000000)]
    sample_every_n_epochs: Annotated[int, Meta(ge=0, le=100000)]
    sample_at_first: bool
    sample_sampler: Sampler
    sample_prompts: str
    sample_prompts_file: str
    metadata_title: str
    metadata_author: str
    metadata_description: str
    metadata_license: str
    metadata_tags: str
    metadata_trigger_phrase: str
    metadata_usage_hint: str
    metadata_thumbnail: str
    metadata_merged_from: str
    metadata_preprocessor: str
    no_metadata: bool


class PlannedFiles(Struct, kw_only=True, forbid_unknown_fields=True):
    checkpoints: Annotated[int, Meta(ge=0)]
    checkpoints_kept: Annotated[int, Meta(ge=0)] = field(name="checkpointsKept")
    checkpoint_bytes: CheckpointBytes | None = field(name="checkpointBytes")
    states: Annotated[int, Meta(ge=0)]
    state_bytes: StateBytes | None = field(name="stateBytes")
    samples: Annotated[int, Meta(ge=0)]
    samples_bytes: Annotated[int, Meta(ge=0)] = field(name="samplesBytes")
    disks: list[Disk]


class StepEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="step"):
    step: Annotated[int, Meta(ge=1)]
    total: Annotated[int, Meta(ge=1)]
    epoch: Annotated[int, Meta(ge=1)]
    epochs: Annotated[int, Meta(ge=1)]
    loss: float | None
    average_loss: float | None = field(name="averageLoss")
    learning_rate: float = field(name="learningRate")
    rates: Annotated[list[LearningRate], Meta(min_length=1)]
    grad_norm: float | None = field(name="gradNorm")
    key_norms: KeyNorms | None = field(name="keyNorms")
    images_per_second: Annotated[float, Meta(ge=0.0)] = field(name="imagesPerSecond")
    seconds_per_step: Annotated[float, Meta(ge=0.0)] = field(name="secondsPerStep")
    eta_seconds: Annotated[float, Meta(ge=0.0)] = field(name="etaSeconds")
    memory_bytes: Annotated[int, Meta(ge=0)] = field(name="memoryBytes")
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


class Places(Struct, kw_only=True, forbid_unknown_fields=True):
    places: list[Place]


class BucketRequest(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="bucket"):
    id: int
    config: TrainConfig
    resolution: tuple[ResolutionItem, ResolutionItem]
    offset: Annotated[int, Meta(ge=0)]
    limit: Annotated[int, Meta(ge=1, le=200)]


class MemoryRequest(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="memory"):
    id: int
    config: TrainConfig
    device: Device


class PlanRequest(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="plan"):
    id: int
    config: TrainConfig
    concepts: list[ConceptSource] | None


class Inspection(Struct, kw_only=True, forbid_unknown_fields=True):
    path: str
    bytes: Annotated[int, Meta(ge=0)]
    tensors: Annotated[int, Meta(ge=0)]
    dtypes: list[str]
    modules: list[LoraModule]
    parts: Parts
    ranks: list[int]
    alphas: list[float]
    non_finite_tensors: list[str] = field(name="nonFiniteTensors")
    empty_modules: list[str] = field(name="emptyModules")
    metadata: dict[str, str]


class Memory(Struct, kw_only=True, forbid_unknown_fields=True):
    parts: MemoryParts
    phases: Annotated[list[PhaseMemory], Meta(min_length=1)]
    peak_bytes: Annotated[int, Meta(ge=0)] = field(name="peakBytes")
    needed_bytes: Annotated[int, Meta(ge=0)] = field(name="neededBytes")
    memory_bytes: MemoryBytes | None = field(name="memoryBytes")
    fits: bool | None
    batch: Annotated[int, Meta(ge=0)]
    pixels: Annotated[int, Meta(ge=0)]
    fit: list[MemoryChange] | None
    least_bytes: Annotated[int, Meta(ge=0)] = field(name="leastBytes")


class TrainJob(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="train"):
    schema_version: Literal[1] = field(name="schemaVersion")
    id: Annotated[str, Meta(min_length=1)]
    name: Annotated[str, Meta(min_length=1)]
    created_at: str = field(name="createdAt")
    app_version: str = field(name="appVersion")
    config: TrainConfig


class Plan(Struct, kw_only=True, forbid_unknown_fields=True):
    buckets: list[Bucket]
    concepts: list[Concept]
    images: Annotated[int, Meta(ge=0)]
    regularization_images: Annotated[int, Meta(ge=0)] = field(name="regularizationImages")
    validation_images: Annotated[int, Meta(ge=0)] = field(name="validationImages")
    batches_per_epoch: Annotated[int, Meta(ge=0)] = field(name="batchesPerEpoch")
    steps_per_epoch: Annotated[int, Meta(ge=0)] = field(name="stepsPerEpoch")
    steps_without_regularization: Annotated[int, Meta(ge=0)] = field(name="stepsWithoutRegularization")
    epochs: Annotated[int, Meta(ge=0)]
    total_steps: Annotated[int, Meta(ge=0)] = field(name="totalSteps")
    enlarged_images: Annotated[int, Meta(ge=0)] = field(name="enlargedImages")
    uncaptioned_images: Annotated[int, Meta(ge=0)] = field(name="uncaptionedImages")
    files: PlannedFiles
    warnings: list[Problem]


class PlanEvent(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="plan"):
    plan: Plan
    v: Literal[1] | UnsetType = 1
    seq: Annotated[int, Meta(ge=1)] | UnsetType = 0
    time: float | UnsetType = 0


WorkerRequest: TypeAlias = (
    PlanRequest
    | MemoryRequest
    | BucketRequest
    | InspectRequest
    | IdentifyRequest
    | CaptionerRequest
    | ProbeRequest
    | PictureRequest
    | ShowRequest
    | PlaceRequest
)


Job: TypeAlias = TrainJob | CaptionJob


JobEvent: TypeAlias = (
    HelloEvent
    | PhaseEvent
    | PlanEvent
    | StepEvent
    | ValidationEvent
    | CheckpointEvent
    | CheckpointRemovedEvent
    | StateEvent
    | ResumedEvent
    | SampleEvent
    | CaptionEvent
    | LogEvent
    | HeartbeatEvent
    | WarningEvent
    | FailedEvent
    | FinishedEvent
)
