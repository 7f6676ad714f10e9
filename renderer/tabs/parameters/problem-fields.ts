import { parameters, type ParameterKey } from '../../../shared/parameters';
import type { Problem } from '../../../shared/result';

/** Where each problem of a plan can be mended. Of several fields it is the one that the message names, else the first. */
const fields: Readonly<Record<string, readonly [ParameterKey, ...ParameterKey[]]>> = {
  base_model_missing: ['pretrained_model_name_or_path'],
  not_sdxl: ['pretrained_model_name_or_path'],
  not_safetensors: ['pretrained_model_name_or_path'],
  model_damaged: ['pretrained_model_name_or_path'],
  model_unreadable: ['pretrained_model_name_or_path'],
  model_incomplete: ['pretrained_model_name_or_path'],
  v_prediction_model: ['v_parameterization'],
  noise_prediction_model: ['v_parameterization'],
  vae_missing: ['vae'],
  vae_damaged: ['vae'],

  no_images: ['train_data_dir'],
  folder_missing: ['train_data_dir'],
  folder_unreadable: ['train_data_dir'],
  folder_twice: ['train_data_dir'],
  empty_folder: ['train_data_dir'],
  unreadable_image: ['broken_images'],
  broken_images: ['broken_images'],
  folder_ignored: ['dataset_config'],
  cache_info_ignored: ['dataset_config'],
  bad_dataset_config: ['dataset_config'],
  dataset_config_missing: ['dataset_config'],
  dataset_config_unreadable: ['dataset_config'],
  masks_missing: ['conditioning_data_dir'],
  masks_unused: ['conditioning_data_dir'],
  mask_missing: ['masked_loss'],
  output_dir_unusable: ['output_dir'],

  bad_resolution: ['max_resolution'],
  bad_bucket_reso_steps: ['bucket_reso_steps'],
  bad_min_bucket_reso: ['min_bucket_reso'],
  bad_max_bucket_reso: ['max_bucket_reso'],
  bucket_limits_rounded: ['min_bucket_reso'],
  image_too_small: ['bucket_no_upscale'],
  upscaled: ['bucket_no_upscale'],
  short_batches: ['train_batch_size'],
  bad_face_crop_aug_range: ['face_crop_aug_range'],
  latents_not_cached: ['cache_latents'],
  epochs_overridden: ['max_train_steps'],

  caption_extension: ['caption_extension'],
  caption_missing: ['caption_extension'],
  caption_separators: ['caption_separator', 'keep_tokens_separator', 'secondary_separator'],
  tags_stay: ['keep_tokens', 'keep_tokens_separator', 'secondary_separator'],
  token_warmup_ignored: ['token_warmup_min'],
  captions_never_shown: ['caption_dropout_rate'],
  text_encoders_stay: ['cache_text_encoder_outputs'],
  text_cache_ignored: ['cache_text_encoder_outputs_to_disk'],

  network_weights_missing: ['dim_from_weights'],
  dim_from_weights_type: ['dim_from_weights'],
  lora_missing: ['network_weights', 'base_weights'],
  lora_damaged: ['network_weights', 'base_weights'],
  alpha_above_rank: ['network_alpha'],
  rank_above_width: ['network_dim'],
  no_convolutions: ['conv_dim'],
  nothing_kept: ['network_dropout', 'rank_dropout', 'module_dropout'],
  one_rate_only: ['optimizer', 'loraplus_lr_ratio'],
  averaged_twice: ['use_ema'],
  rank_in_blocks: ['network_dim'],
  no_weight: ['quantize_base_model'],
  not_ia3s_preset: ['lycoris_preset'],
  lycoris_preset_unknown: ['lycoris_preset'],
  lycoris_preset_missing: ['lycoris_preset'],
  lycoris_preset_invalid: ['lycoris_preset'],
  bad_block_weights: [
    'down_lr_weight',
    'mid_lr_weight',
    'up_lr_weight',
    'block_dims',
    'block_alphas',
    'conv_block_dims',
    'conv_block_alphas',
  ],

  unknown_optimizer: ['optimizer'],
  package_missing: ['optimizer', 'lr_scheduler_type'],
  bad_argument: ['optimizer_args', 'lr_scheduler_args'],
  unknown_argument: ['optimizer_args', 'lr_scheduler_args'],
  missing_argument: ['optimizer_args', 'lr_scheduler_args'],
  nothing_learned: ['learning_rate'],
  rate_too_low: ['learning_rate'],
  one_rate_for_all: ['learning_rate'],
  rate_ignored: ['optimizer_args'],
  clipped_twice: ['max_grad_norm'],
  bad_schedule: ['lr_scheduler', 'lr_scheduler_type', 'lr_scheduler_args'],
  schedule_ignored: ['lr_scheduler'],
  warmup_ignored: ['lr_warmup'],

  timesteps_empty: ['min_timestep'],
  noise_offset_missing: ['adaptive_noise_scale'],
  noise_twice: ['noise_offset'],
  noise_option_unused: [
    'noise_offset_random_strength',
    'ip_noise_gamma_random_strength',
    'huber_scale',
  ],
  loss_weighted_twice: ['min_snr_gamma'],
  not_v_prediction: ['scale_v_pred_loss_like_noise_pred'],
  not_noise_prediction: ['v_pred_like_loss'],
  zero_terminal_snr_without_v: ['zero_terminal_snr'],
  zero_terminal_snr_model: ['zero_terminal_snr'],

  full_bf16_needs_bf16: ['full_bf16'],
  checkpointing_ignored: ['checkpointing_method'],
  gpu_missing: ['gpu_ids'],
  gpu_twice: ['gpu_ids'],
  too_few_gpus: ['num_processes', 'gpu_ids'],
  machine_rank: ['machine_rank'],
  main_process_ip: ['main_process_ip'],
  validation_split: ['validation_split'],
  sample_prompt_invalid: ['sample_prompts'],
  sample_prompts_file_missing: ['sample_prompts_file'],
  sample_prompts_file_invalid: ['sample_prompts_file'],
  thumbnail_unreadable: ['metadata_thumbnail'],
};

/** Every code that leads to a field. */
export const codesWithField = Object.keys(fields);

/** The field that a problem is about; null for one that is not about a parameter. */
export function fieldOf({ code, message }: Problem): ParameterKey | null {
  const candidates = fields[code];
  if (candidates === undefined) return null;
  // A label may begin with another: "LR Scheduler type" with "LR Scheduler".
  const named = candidates
    .filter((key) => message.includes(parameters[key].label))
    .sort((one, other) => parameters[other].label.length - parameters[one].label.length);
  return named[0] ?? candidates[0];
}
