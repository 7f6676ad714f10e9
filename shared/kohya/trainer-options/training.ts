import { done, each, refused, replaced, type Options } from './rows';

/** How it is learnt. */

const attention = replaced('PyTorch’s own attention (SDPA), always: there is nothing to install.');
const reading = replaced('Pictures are encoded once, and what is shown anew is read as it comes.');

export const trainingOptions: Options = {
  train_batch_size: done('test_plan.py::test_short_batches_and_accumulation', 'train_batch_size'),
  max_token_length: done(
    'test_text_encoder.py::test_captions_of_any_length_are_encoded_in_chunks',
    'max_token_length',
  ),
  max_train_steps: done('test_plan.py::test_max_train_steps_wins', 'max_train_steps'),
  max_train_epochs: done('test_plan.py::test_the_guides_example', 'epoch'),
  ...each('max_data_loader_n_workers persistent_data_loader_workers', reading),
  seed: done('test_train_run.py::test_a_seed_repeats_a_training', 'seed'),
  gradient_checkpointing: done(
    'test_checkpointing.py::test_gradients_are_those_without',
    'gradient_checkpointing',
    'checkpointing_method',
  ),
  gradient_accumulation_steps: done(
    'test_train_run.py::test_accumulated_batches_equal_a_large_one',
    'gradient_accumulation_steps',
  ),
  mixed_precision: done(
    'test_train_run.py::test_precision_and_checkpointing_do_not_change_the_start',
    'mixed_precision',
  ),
  full_fp16: refused(
    'Small steps are lost in LoRA weights of fp16. Full bf16 training rounds them at random instead.',
  ),
  full_bf16: done('test_optim.py::test_bf16_weights_follow_those_in_fp32', 'full_bf16'),
  ...each(
    'fp8_base fp8_base_unet',
    done(
      'test_quantize.py::test_layers_compute_and_pass_gradients_as_with_the_opened_weight',
      'quantize_base_model',
    ),
  ),
  no_half_vae: replaced('The VAE always works in fp32, since SDXL’s overflows in fp16.'),
  ...each('mem_eff_attn xformers sdpa', attention),
  ...each('torch_compile dynamo_backend', refused('What it would gain is not measured yet.')),
  clip_skip: refused('SDXL always uses the last but one layer of its text encoders.'),
  cpu_offload_checkpointing: refused(
    'Quantize base model and Checkpointing method save more memory at less cost in time.',
  ),
  ...each(
    'lowram highvram',
    replaced('Each part of the model is loaded, used and given back in turn.'),
  ),
  ddp_timeout: done(
    'test_processes.py::test_two_processes_learn_what_one_does_with_twice_the_batch',
    'ddp_timeout',
  ),
  ...each(
    'ddp_gradient_as_bucket_view ddp_static_graph',
    replaced('All gradients of a part are one tensor already, and are summed once a step.'),
  ),
  ...each(
    'deepspeed zero_stage offload_optimizer_device offload_optimizer_nvme_path offload_param_device offload_param_nvme_path zero3_init_flag zero3_save_16bit_model fp16_master_weights_and_gradients',
    refused(
      'It divides the state of an optimizer, which is small for a LoRA. Quantize base model saves more memory.',
    ),
  ),
};

const pyramid = 'test_noise.py::test_pyramid_noise_is_kohyas';
const strength = 'test_noise.py::test_a_strength_is_drawn_once_for_a_batch';
const alike = 'test_loss.py::test_losses_that_are_like_the_other_prediction';
const huber = 'test_loss.py::test_huber_schedules';
const timesteps = 'test_noise.py::test_timesteps_are_in_their_range';

export const lossOptions: Options = {
  noise_offset: done('test_noise.py::test_offset_moves_whole_channels', 'noise_offset'),
  noise_offset_random_strength: done(strength, 'noise_offset_random_strength'),
  adaptive_noise_scale: done(
    'test_noise.py::test_adaptive_offset_follows_the_brightness_and_is_never_below_zero',
    'adaptive_noise_scale',
  ),
  multires_noise_iterations: done(pyramid, 'multires_noise_iterations'),
  multires_noise_discount: done(pyramid, 'multires_noise_discount'),
  ip_noise_gamma: done(
    'test_objective.py::test_input_perturbation_is_in_the_input_and_not_in_the_target',
    'ip_noise_gamma',
  ),
  ip_noise_gamma_random_strength: done(strength, 'ip_noise_gamma_random_strength'),
  zero_terminal_snr: done(
    'test_noise.py::test_zero_terminal_schedule_ends_with_noise_alone',
    'zero_terminal_snr',
  ),
  min_timestep: done(timesteps, 'min_timestep'),
  max_timestep: done(timesteps, 'max_timestep'),
  min_snr_gamma: done('test_loss.py::test_min_snr', 'min_snr_gamma'),
  scale_v_pred_loss_like_noise_pred: done(alike, 'scale_v_pred_loss_like_noise_pred'),
  v_pred_like_loss: done(alike, 'v_pred_like_loss'),
  debiased_estimation_loss: done(
    'test_loss.py::test_debiased_estimation',
    'debiased_estimation_loss',
  ),
  weighted_captions: done(
    'test_text_encoder.py::test_weights_multiply_the_states_of_their_words',
    'weighted_captions',
  ),
  loss_type: done('test_loss.py::test_losses_are_kohyas_for_every_element', 'loss_type'),
  huber_schedule: done(huber, 'huber_schedule'),
  huber_c: done(huber, 'huber_c'),
  huber_scale: done(huber, 'huber_scale'),
};

const formula = 'test_schedules.py::test_the_rate_follows_its_formula';
const torchs = 'test_schedules.py::test_another_scheduler_is_that_of_torch';

export const optimizerOptions: Options = {
  optimizer_type: done('test_optimizers.py::test_it_is_the_librarys_own', 'optimizer'),
  optimizer_args: done(
    'test_written_arguments.py::test_arguments_are_pythons_values',
    'optimizer_args',
  ),
  learning_rate: done('test_optim.py::test_the_rate_that_is_told_is_the_one_used', 'learning_rate'),
  max_grad_norm: done(
    'test_optim.py::test_gradients_are_clipped_by_the_norm_of_all_parts',
    'max_grad_norm',
  ),
  lr_scheduler: done(formula, 'lr_scheduler'),
  lr_scheduler_type: done(torchs, 'lr_scheduler_type'),
  lr_scheduler_args: done(torchs, 'lr_scheduler_args'),
  lr_warmup_steps: done('test_schedules.py::test_warmup_in_steps', 'lr_warmup', 'lr_warmup_steps'),
  lr_decay_steps: done(formula, 'lr_decay_steps'),
  lr_scheduler_num_cycles: done(formula, 'lr_scheduler_num_cycles'),
  lr_scheduler_power: done(formula, 'lr_scheduler_power'),
  lr_scheduler_timescale: done(formula, 'lr_scheduler_timescale'),
  lr_scheduler_min_lr_ratio: done(formula, 'lr_scheduler_min_lr_ratio'),
  fused_backward_pass: refused('It is for training the whole model, which a LoRA does not.'),
};
