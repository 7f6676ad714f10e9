/** Why a default is not that of a fresh kohya_ss, by kohya_ss's key. */
export const ownDefaults: Readonly<Record<string, string>> = {
  pretrained_model_name_or_path: 'Theirs is Stable Diffusion 1.5.',
  max_resolution: 'SDXL was made for 1024×1024.',
  lr_warmup: 'The guides for SDXL train without one; 10 % of a short run is much.',
  epoch: 'Epochs decide how long it takes, and ten give something to choose from.',
  max_train_steps: 'Their 1600 makes Epoch mean nothing.',
  optimizer: 'AdamW8bit needs bitsandbytes, which is not there for every machine.',
  mixed_precision: 'SDXL becomes NaN in fp16 more easily.',
  gradient_checkpointing: 'Without it SDXL does not fit below 24 GB.',
  save_state_on_train_end: 'So that a run that has ended can be gone on with.',
  log_with: 'TensorBoard’s files cost nothing and are sent nowhere.',
  sdxl_cache_text_encoder_outputs:
    'The text encoders are not trained by default, so it only saves memory.',
  text_encoder_lr: 'sd-scripts’ own guide for SDXL trains the U-Net alone.',
  unet_lr: 'Empty is Learning rate, which is theirs too.',
  network_dim: '8 holds little of a person.',
  network_alpha: 'Half the rank is usual. At 1 the rate must be many times as high.',
  conv_dim: 'The convolutions are adapted when they are asked for.',
  sample_every_n_epochs: 'What is learnt is shown while it is learnt.',
  sample_sampler: 'It is what most people draw SDXL with.',
};
