"""Faults that trainers have had: each as one change to the bridge, with the tests that should catch it."""

from __future__ import annotations

from typing import NamedTuple

_LORA = "tests/test_lora.py::"
_LOSS = "tests/test_loss.py::"
_MODEL = "tests/test_train_model.py::"
_NOISE = "tests/test_noise.py::"
_OBJECTIVE = "tests/test_objective.py::"
_OPTIM = "tests/test_optim.py::"
_PLAN = "tests/test_plan.py::"
_REFERENCE = "tests/test_train_reference.py::"
_RUN = "tests/test_train_run.py::"

_EMBEDDINGS = _MODEL + "test_embeddings_are_those_of_diffusers_pipeline"
_FIRST_LOSS = _REFERENCE + "test_the_first_loss_is_that_of_the_base_model"
_FOLDER_TO_FILE = _RUN + "test_a_training_from_folder_to_file"
_JUDGED = _OBJECTIVE + "test_the_loss_is_how_far_the_answer_is_from_the_target"
_NOISED = _REFERENCE + "test_pictures_are_noised_as_diffusers_does"
_PEFT = _LORA + "test_flat_lora_equals_peft"
_SKIPPED_UPDATE = _OPTIM + "test_an_update_that_is_not_finite_is_left_out"


class Mutant(NamedTuple):
    """A deliberate fault."""

    name: str
    what: str
    """What it does wrong, in one sentence."""
    file: str
    """In lora_bridge."""
    text: str
    """What it changes, found exactly once in the file."""
    replacement: str
    tests: tuple[str, ...]
    """pytest's ids, likely ones first, relative to python-bridge."""


MUTANTS = (
    Mutant(
        "alpha-ignored",
        "The LoRA acts at full strength whatever alpha is.",
        "lora.py",
        "            rank.alpha / rank.dim,\n",
        "            1.0,\n",
        (_PEFT,),
    ),
    Mutant(
        "alpha-by-rank-upside-down",
        "The LoRA is scaled by rank / alpha.",
        "lora.py",
        "            rank.alpha / rank.dim,\n",
        "            rank.dim / rank.alpha,\n",
        (_PEFT,),
    ),
    Mutant(
        "half-the-timesteps",
        "Only the less noisy half of the timesteps is trained.",
        "objective.py",
        "config.min_timestep, config.max_timestep",
        "config.min_timestep, config.max_timestep // 2",
        (
            _OBJECTIVE + "test_the_plain_question_is_noise_and_a_timestep",
            _REFERENCE + "test_every_timestep_is_as_likely_as_any_other",
        ),
    ),
    Mutant(
        "captions-swapped",
        "In a batch each picture has the caption of another.",
        "materials.py",
        "captions = [appearance.text for appearance in appearances]",
        "captions = [appearance.text for appearance in reversed(appearances)]",
        (_REFERENCE + "test_each_picture_has_its_own_caption",),
    ),
    Mutant(
        "caption-extension-ignored",
        "Captions are read from .txt files whatever the config says.",
        "picture_folders.py",
        "_caption_of(file, subset.captions.extension, names,",
        '_caption_of(file, ".txt", names,',
        (_PLAN + "test_captions_are_read_from_files_with_the_extension_asked_for",),
    ),
    Mutant(
        "vae-scaling-missing",
        "Latents are trained as the VAE gives them, seven times too large.",
        "vae.py",
        "(latents * self._model.config.scaling_factor)",
        "latents",
        (_MODEL + "test_latents_are_drawn_and_scaled", _NOISED),
    ),
    Mutant(
        "text-encoder-2-dropped",
        "The second text encoder's states are zeros.",
        "text.py",
        "torch.cat([one.hidden, two.hidden], dim=-1)",
        "torch.cat([one.hidden, torch.zeros_like(two.hidden)], dim=-1)",
        (_EMBEDDINGS,),
    ),
    Mutant(
        "last-hidden-layer",
        "The text encoders' last layer is used where SDXL has the last but one.",
        "text_encoder.py",
        "output.hidden_states[-2]",
        "output.hidden_states[-1]",
        (_EMBEDDINGS,),
    ),
    Mutant(
        "pooled-at-the-padding",
        "The pooled text is taken from the last token instead of the end of the text.",
        "text_encoder.py",
        "output.text_embeds[::chunks]",
        "self._model.text_projection(output.last_hidden_state[::chunks, -1])",
        (_EMBEDDINGS,),
    ),
    Mutant(
        "beginning-of-text-dropped",
        "Captions are encoded without the token that begins a text.",
        "text_encoder.py",
        "tokens.input_ids.to(",
        "tokens.input_ids.roll(-1, dims=1).to(",
        (_EMBEDDINGS,),
    ),
    Mutant(
        "micro-conditioning-zeroed",
        "The UNet is told that all sizes and crops are 0.",
        "unet.py",
        '"time_ids": time_ids',
        '"time_ids": time_ids * 0',
        (_REFERENCE + "test_sizes_and_crop_are_told",),
    ),
    Mutant(
        "crop-swapped",
        "The left of the crop is told as its top.",
        "views.py",
        "left, top = view.left, view.top",
        "left, top = view.top, view.left",
        ("tests/test_views.py::test_the_golden_example_of_kohya",),
    ),
    Mutant(
        "regularization-unweighted",
        "The prior loss weight is not applied.",
        "materials.py",
        "self._config.prior_loss_weight if sample.regularization else 1.0",
        "1.0",
        (_RUN + "test_prior_loss_weight_0_silences_regularization",),
    ),
    Mutant(
        "regularization-unbalanced",
        "All regularization pictures are used, however few the others are.",
        "dataset.py",
        "zip(self.regularization, self.rotation.repeats(epoch), strict=True)",
        "[(sample, sample.repeats) for sample in self.regularization]",
        (_PLAN + "test_regularization_doubles_an_epoch",),
    ),
    Mutant(
        "repeats-ignored",
        "Each picture is seen once an epoch.",
        "dataset.py",
        "[sample] * times",
        "[sample]",
        (_PLAN + "test_every_epoch_has_every_sample_in_an_order_of_its_own",),
    ),
    Mutant(
        "same-order-every-epoch",
        "Every epoch deals out the same batches in the same order.",
        "dataset.py",
        "random.Random(seed + epoch)",
        "random.Random(seed)",
        (_PLAN + "test_every_epoch_has_every_sample_in_an_order_of_its_own",),
    ),
    Mutant(
        "latents-flipped",
        "Pictures are mirrored before they are encoded.",
        "render.py",
        ".permute(2, 0, 1)",
        ".permute(2, 0, 1).flip(-1)",
        (_NOISED,),
    ),
    Mutant(
        "blue-is-red",
        "Pictures are encoded with their channels in the order of OpenCV.",
        "render.py",
        ".permute(2, 0, 1)",
        ".permute(2, 0, 1).flip(0)",
        (_NOISED,),
    ),
    Mutant(
        "exif-ignored",
        "Photos that lie on their side in the file are trained that way.",
        "images.py",
        "image.getexif().get(_ORIENTATION, _AS_IT_IS)",
        "_AS_IT_IS",
        (_PLAN + "test_pictures_are_upright_and_opaque",),
    ),
    Mutant(
        "linear-betas",
        "The noise schedule is linear instead of scaled-linear.",
        "noise.py",
        "torch.linspace(BETA_START**0.5, BETA_END**0.5, TIMESTEPS, dtype=torch.float64) ** 2",
        "torch.linspace(BETA_START, BETA_END, TIMESTEPS, dtype=torch.float64)",
        (_NOISE + "test_noise_schedule_is_sdxls",),
    ),
    Mutant(
        "learns-the-picture",
        "The UNet's target is the clean latent instead of the noise.",
        "objective.py",
        "return drawn.noise",
        "return latents",
        (_JUDGED, _FIRST_LOSS),
    ),
    Mutant(
        "learns-v",
        "The UNet's target is v, which SDXL does not predict.",
        "objective.py",
        "if self._config.v_parameterization:",
        "if not self._config.v_parameterization:",
        (_JUDGED, _FIRST_LOSS),
    ),
    Mutant(
        "perturbed-target",
        "Input perturbation is in the target too.",
        "objective.py",
        "timesteps, noise)",
        "timesteps, shown)",
        (_OBJECTIVE + "test_input_perturbation_is_in_the_input_and_not_in_the_target",),
    ),
    Mutant(
        "weights-of-another-schedule",
        "With zero terminal SNR the loss is weighted by the schedule before.",
        "objective.py",
        "plain if config.kohya_exact else signal",
        "plain",
        (_OBJECTIVE + "test_weights_know_the_schedule_that_is_trained_unless_kohyas_results_are_wanted",),
    ),
    Mutant(
        "min-snr-of-noise-for-v",
        "Min-SNR weights of v-prediction are those of noise prediction.",
        "loss_weights.py",
        "snr.clamp(max=gamma) / (snr + 1)",
        "snr.clamp(max=gamma) / snr",
        (_LOSS + "test_min_snr",),
    ),
    Mutant(
        "mask-after-the-mean",
        "What a mask hides is trained on.",
        "loss.py",
        "losses = losses * masks",
        "losses = losses * masks.mean(dim=(1, 2, 3), keepdim=True)",
        (_LOSS + "test_masks_weigh_places_and_the_mean_is_over_all",),
    ),
    Mutant(
        "validation-draws-anew",
        "Validation asks something else each time.",
        "validation.py",
        "generator=chance)",
        "generator=None)",
        ("tests/test_validation.py::test_the_questions_depend_on_the_seed_and_the_pictures_place_alone",),
    ),
    Mutant(
        "accumulation-adds-up",
        "The loss of accumulated batches is divided by each batch's samples instead of all of them.",
        "trainer.py",
        "weights, count)",
        "weights, len(appearances))",
        (_RUN + "test_accumulated_batches_equal_a_large_one",),
    ),
    Mutant(
        "seed-ignored",
        "Every training draws a new seed.",
        "train.py",
        "config.seed or (_new_seed() if saved is None else saved.about.seed)",
        "_new_seed()",
        (_REFERENCE + "test_the_seed_decides_noise_and_timesteps",),
    ),
    Mutant(
        "noise-not-seeded",
        "Every training draws the same noise and timesteps, whatever its seed.",
        "objective.py",
        'f"step-{seed}-{step}"',
        'f"step-{step}"',
        (
            _OBJECTIVE + "test_the_chance_of_a_step_depends_on_seed_and_step_alone",
            _REFERENCE + "test_the_seed_decides_noise_and_timesteps",
        ),
    ),
    Mutant(
        "up-not-zero",
        "The LoRA's up matrices do not begin at zero, so that it changes the model untrained.",
        "flat_weights.py",
        "self.weights = nn.Parameter(torch.zeros(total,",
        "self.weights = nn.Parameter(torch.full((total,), 0.01,",
        (_LORA + "test_lora_starts_as_kohyas",),
    ),
    Mutant(
        "a-block-not-collected",
        "The gradients of the last tenth of the layers are left behind in half precision.",
        "flat_weights.py",
        "self.gradients.add_(self._active_gradients)",
        "(n := self.gradients.numel() * 9 // 10, self.gradients[:n].add_(self._active_gradients[:n]))",
        (_REFERENCE + "test_half_precision_gradients_are_those_of_fp32_in_every_layer",),
    ),
    Mutant(
        "gradients-kept",
        "Gradients are not cleared after an update.",
        "flat_weights.py",
        "self.gradients.zero_()",
        "self.gradients.mul_(1.0)",
        (_LORA + "test_gradients_add_up_in_fp32",),
    ),
    Mutant(
        "overflow-not-skipped",
        "An update with gradients that are not finite is taken.",
        "optimizers.py",
        "(~finite).float()",
        "torch.zeros_like(finite, dtype=torch.float32)",
        (_SKIPPED_UPDATE,),
    ),
    Mutant(
        "clipped-while-scaled",
        "Gradients are clipped by their norm before fp16's scale is taken out.",
        "optim.py",
        ".vector_norm(torch.stack(norms)) / self._scale",
        ".vector_norm(torch.stack(norms))",
        (_SKIPPED_UPDATE,),
    ),
    Mutant(
        "unet-rate-ignored",
        "The UNet's own learning rate is not used.",
        "optimizer_choice.py",
        "config.learning_rate if config.unet_lr is None else config.unet_lr",
        "config.learning_rate",
        ("tests/test_optimizer_choice.py::test_each_part_has_its_rate",),
    ),
    Mutant(
        "last-layer-not-exported",
        "The file lacks the last layer.",
        "lora.py",
        '        for pair in self._pairs:\n            yield NetworkTensor(pair.name, "alpha"',
        '        for pair in self._pairs[:-1]:\n            yield NetworkTensor(pair.name, "alpha"',
        (_FOLDER_TO_FILE,),
    ),
    Mutant(
        "down-exported-transposed",
        "The file has the down matrices transposed.",
        "lora.py",
        '"lora_down.weight", pair.down)',
        '"lora_down.weight", pair.down.t().contiguous())',
        (_FOLDER_TO_FILE,),
    ),
    Mutant(
        "alpha-exported-as-rank",
        "The file says that alpha is the rank, so that it acts at another strength than it was trained at.",
        "lora.py",
        "torch.tensor(pair.rank.alpha)",
        "torch.tensor(float(pair.rank.dim))",
        (_FOLDER_TO_FILE,),
    ),
)
