"""The training of a LoRA, from a config to a file."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from msgspec.structs import replace

from lora_bridge.adapters import build_networks
from lora_bridge.agreement import require_alike, state_for_all
from lora_bridge.base_weights import with_base_weights
from lora_bridge.chance import layers_draw
from lora_bridge.dataset import read_dataset
from lora_bridge.ema import Ema
from lora_bridge.failures import problem_of
from lora_bridge.fitting import out_of_memory_problem
from lora_bridge.identity import identity_of
from lora_bridge.joining import device_of
from lora_bridge.latents import prepare_latents
from lora_bridge.materials import Materials, texts_of
from lora_bridge.metadata import RunFacts, start_hashing
from lora_bridge.metadata_model_spec import thumbnail_of
from lora_bridge.model import PARTS, open_base_model
from lora_bridge.network_weights import load_start
from lora_bridge.objective import make_objective
from lora_bridge.optim import Optimizer, RateGroup
from lora_bridge.optimizer_choice import part_rates
from lora_bridge.optimizers import try_optimizer
from lora_bridge.output import OutputFolder
from lora_bridge.painter import Painter
from lora_bridge.plan import make_schedule, plan_of, require_config
from lora_bridge.precision import choose_device, compute_dtype
from lora_bridge.process_rules import world_size
from lora_bridge.progress import StopRequested
from lora_bridge.protocol_types import LogEvent, PhaseEvent, PlanEvent, WarningEvent
from lora_bridge.quantize import quantize
from lora_bridge.ranks import ranks_of
from lora_bridge.resuming import earlier_events, losses_before, require_steps_left, resumed_event
from lora_bridge.sample import Studio
from lora_bridge.sample_prompts import parse_prompts
from lora_bridge.schedules import warmup_steps
from lora_bridge.sink import Ending
from lora_bridge.state_keeper import StateKeeper
from lora_bridge.tensorboard_log import TensorBoardSink
from lora_bridge.text import LiveTexts, prepare_texts
from lora_bridge.trainer import Trainer
from lora_bridge.validation import Validator
from lora_bridge.world import ALONE, OthersLostError

if TYPE_CHECKING:
    from torch import nn

    from lora_bridge.dataset import Dataset
    from lora_bridge.lora_sites import LoraPart
    from lora_bridge.model import BaseModel
    from lora_bridge.networks import Network
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.run_state import SavedState
    from lora_bridge.sample_prompts import SamplePrompt
    from lora_bridge.sink import Sink
    from lora_bridge.text import Texts
    from lora_bridge.unet import Unet
    from lora_bridge.world import World


class _Where(NamedTuple):
    folder: Path
    """The job's."""
    device: torch.device
    world: World


class _How(NamedTuple):
    dtype: torch.dtype
    seed: int


def run(config: TrainConfig, sink: Sink, folder: Path, device: str | None = None) -> Ending:
    """Train a LoRA as `config` says, on torch's `device`: by default a GPU, where there is one.

    The LoRA goes where the config says, samples into the job's `folder`. Stops between two steps when asked
    to, and keeps what was learnt. Raises ProblemError, and OSError where a file cannot be written.
    """
    require_config(config)
    try:
        if world_size(config) == 1:
            return run_part(config, sink, folder, device or device_of(config, 0), ALONE)
        with ranks_of(config, folder, sink, device) as (world, heeding):
            return run_part(config, heeding, folder, device or device_of(config, 0), world)
    except StopRequested:
        return Ending("paused" if sink.pause_requested() else "stopped", [])


def run_part(config: TrainConfig, sink: Sink, folder: Path, device: str, world: World) -> Ending:
    """Train as one of the processes of `world`. Raises StopRequested, too."""
    chosen = choose_device(device)
    dataset = read_dataset(config)
    logs = config.log_with == "tensorboard" and world.is_first
    logged = TensorBoardSink(sink, config, folder) if logs else None
    try:
        return _train(config, dataset, logged or sink, _Where(folder, chosen, world))
    except OthersLostError:
        raise
    except (RuntimeError, MemoryError) as error:
        if problem_of(error).code != "out_of_memory":
            raise
        raise out_of_memory_problem(config, dataset, chosen) from error
    finally:
        if logged is not None:
            logged.close()


def _train(config: TrainConfig, dataset: Dataset, sink: Sink, where: _Where) -> Ending:
    folder, device, world = where
    prompts = parse_prompts(config)
    sink.emit(PlanEvent(plan=plan_of(config, dataset)))
    output = OutputFolder(config, sink)
    saved = state_for_all(config, folder, world)
    total_steps = make_schedule(config, dataset).total_steps
    if saved is not None and world.is_first:
        require_steps_left(saved, folder, total_steps)
    try_optimizer(config, total_steps)
    seed = world.agree(config.seed or (_new_seed() if saved is None else saved.about.seed))
    require_alike(config, dataset, world, seed)
    how = _How(compute_dtype(config, device, sink), seed)
    base = with_base_weights(open_base_model(config.pretrained_model_name_or_path, config.vae), config)
    sink.emit(LogEvent(level="info", text=f"Seed {seed}, {device}, {how.dtype}."))

    with world.in_turn(wanted=config.cache_latents_to_disk):
        latents = prepare_latents(base, config, dataset, device, sink)
    if latents.unreadable:
        dataset = dataset.without(latents.unreadable)
        sink.emit(PlanEvent(plan=plan_of(config, dataset)))
    rates = part_rates(config)
    with world.in_turn(wanted=config.cache_text_encoder_outputs_to_disk):
        texts = _texts(config, base, dataset, prompts, rates=rates, how=how, device=device, sink=sink)
    materials = Materials(config, latents, texts, device)
    unet = _unet(config, base, how, device, sink)
    networks = _networks(config, unet, texts, rates, seed)
    if saved is None:
        for warning in load_start(networks, config):
            sink.emit(WarningEvent(problem=warning))
    world.begin_alike(networks)

    groups = [RateGroup(network, rates[network.part]) for network in networks]
    optimizer = Optimizer(
        groups, config, make_schedule(config, dataset).total_steps, scale_loss=how.dtype == torch.float16
    )
    facts = _facts(config, dataset, networks[0], optimizer, saved, how=how, hashes=world.is_first)
    ema = Ema(networks, config.ema_decay) if config.use_ema else None
    identity = identity_of(config, dataset)
    keeper = StateKeeper(facts, networks, optimizer, ema, identity=identity, job_folder=folder, sink=sink)
    objective = make_objective(config, device)
    draws = world.is_first and bool(prompts or config.sample_prompts_file.strip())
    painter = Painter(config, unet, base.vae().without_encoder(), texts, device) if draws else None
    validates = world.is_first and dataset.validation
    trainer = Trainer(
        unet,
        networks,
        materials,
        objective=objective,
        optimizer=optimizer,
        studio=Studio(config, prompts, painter, seed, folder),
        validator=Validator(config, unet, objective, lambda: materials.validation_batches(dataset), device)
        if validates
        else None,
        facts=facts,
        ema=ema,
        keeper=keeper,
        world=world,
    )
    losses: list[float] = []
    if saved is not None:
        losses = losses_before(saved)
        keeper.go_on(saved)
        for event in earlier_events(saved, folder):
            sink.emit(event)
        sink.emit(resumed_event(saved, identity, config))
        output.adopt([Path(path) for path in saved.about.checkpoints])
    return trainer.train(sink, output, saved.about if saved is not None else None, losses)


def _facts(
    config: TrainConfig,
    dataset: Dataset,
    network: Network,
    optimizer: Optimizer,
    saved: SavedState | None,
    *,
    how: _How,
    hashes: bool,
) -> RunFacts:
    schedule = make_schedule(config, dataset)
    facts = RunFacts(
        config,
        dataset,
        schedule,
        how.seed,
        warmup_steps(config, schedule.total_steps),
        optimizer.description(),
        network_module=network.kohya_module,
        network_args=network.network_args,
        mixed_precision="no" if how.dtype == torch.float32 else "",
        thumbnail=thumbnail_of(config),
        hashes=start_hashing(config) if hashes and not config.no_metadata else {},
    )
    if saved is None:
        return facts
    return replace(facts, started_at=saved.about.started_at, session_id=saved.about.session_id)


def _new_seed() -> int:
    return random.SystemRandom().randint(1, 2**32 - 1)


def _texts(
    config: TrainConfig,
    base: BaseModel,
    dataset: Dataset,
    prompts: list[SamplePrompt],
    *,
    rates: dict[LoraPart, float],
    how: _How,
    device: torch.device,
    sink: Sink,
) -> Texts:
    """Embedded once where the text encoders do not learn and every caption can be foreseen."""
    foreseen = rates.keys() <= {"unet"} and config.cache_text_encoder_outputs
    texts = texts_of(dataset, prompts) if foreseen else None
    return prepare_texts(base, config, texts, device, how.dtype, sink)


def _unet(config: TrainConfig, base: BaseModel, how: _How, device: torch.device, sink: Sink) -> Unet:
    if device.type == "cuda":
        # What the VAE and the text encoders needed is given back before the UNet asks for it.
        torch.cuda.empty_cache()
    sink.emit(PhaseEvent(phase="loading_model", done=PARTS - 1, total=PARTS))
    unet = base.unet(how.dtype)
    if config.quantize_base_model != "none":
        quantize(unet.module, config.quantize_base_model, how.dtype, device)
    unet.to(device)
    if config.gradient_checkpointing:
        unet.checkpoint_gradients(config.checkpointing_method, draws=layers_draw(config))
    return unet


def _networks(
    config: TrainConfig, unet: Unet, texts: Texts, rates: dict[LoraPart, float], seed: int
) -> list[Network]:
    """The network of each part that is trained, the UNet's first."""
    modules: dict[LoraPart, nn.Module] = {"unet": unet.module}
    if isinstance(texts, LiveTexts):
        modules |= {"text_encoder_1": texts.encoder(0).module, "text_encoder_2": texts.encoder(1).module}
    return build_networks(config, modules, rates, seed)
