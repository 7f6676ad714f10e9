import { defaultTrainConfig, type ParameterKey, type TrainConfig } from '../parameters';

/** What sd-scripts (v0.10.1) does where a config says nothing, in our words; the same as ours where it is not here. */
const trainerDefaults: Partial<TrainConfig> = {
  bucket_no_upscale: false,
  cache_latents: false,
  cache_text_encoder_outputs: false,
  caption_extension: '.caption',
  enable_bucket: false,
  gradient_checkpointing: false,
  learning_rate: 0.000002,
  lr_scheduler: 'constant',
  max_bucket_reso: 1024,
  max_train_steps: 1600,
  mixed_precision: 'no',
  network_alpha: 1,
  network_dim: 4,
  sample_at_first: false,
  sample_every_n_epochs: 0,
  sample_sampler: 'ddim',
  save_every_n_epochs: 0,
  save_precision: 'float',
  save_state_on_train_end: false,
  vae_batch_size: 1,
};

export const trainerDefault = <K extends ParameterKey>(key: K): TrainConfig[K] =>
  (trainerDefaults[key] as TrainConfig[K] | undefined) ?? defaultTrainConfig[key];
