import { done, refused, replaced, type Options } from './rows';

/** What is trained on, and how it is shown. */

export const modelOptions: Options = {
  pretrained_model_name_or_path: done(
    'test_train_model.py::test_a_single_file_is_the_same_model_as_its_folder',
    'pretrained_model_name_or_path',
  ),
  v2: refused('Only SDXL is trained.'),
  v_parameterization: done(
    'test_objective.py::test_the_loss_is_how_far_the_answer_is_from_the_target',
    'v_parameterization',
  ),
  vae: done('test_model_identity.py::test_another_vae_in_each_of_its_layouts', 'vae'),
  tokenizer_cache_dir: replaced('CLIP’s vocabulary is part of the set-up and needs no cache.'),
  disable_mmap_load_safetensors: replaced(
    'Each part of the model is read tensor by tensor when it is needed; there is nothing to switch off.',
  ),
};

const start = 'test_network_weights.py::test_it_begins_with_the_effect_of_the_file';
const merged = 'test_base_weights.py::test_files_are_merged_by_their_multipliers';

export const networkOptions: Options = {
  network_module: replaced(
    'LoRA type: Standard and Kohya LoCon are networks.lora, LoRA-FA is networks.lora_fa, Kohya DyLoRA, LoHa and LoKr are networks.dylora, loha and lokr, the types of LyCORIS are lycoris.kohya.',
  ),
  network_dim: done('test_lora.py::test_flat_lora_equals_peft', 'network_dim'),
  network_alpha: done('test_lora.py::test_flat_lora_equals_peft', 'network_alpha'),
  network_dropout: done('test_lora_kinds.py::test_dropouts_are_kohyas', 'network_dropout'),
  scale_weight_norms: done(
    'test_lora_kinds.py::test_norms_are_held_to_the_limit',
    'scale_weight_norms',
  ),
  network_args: done(
    'test_lora_kinds.py::test_blocks_have_ranks_and_rates_of_their_own',
    'conv_dim',
    'conv_alpha',
    'rank_dropout',
    'module_dropout',
    'loraplus_lr_ratio',
    'loraplus_unet_lr_ratio',
    'loraplus_text_encoder_lr_ratio',
    'down_lr_weight',
    'mid_lr_weight',
    'up_lr_weight',
    'block_lr_zero_threshold',
    'block_dims',
    'block_alphas',
    'conv_block_dims',
    'conv_block_alphas',
    'rank_dropout_scale',
    'lycoris_preset',
    'factor',
    'decompose_both',
    'use_tucker',
    'use_cp',
    'use_scalar',
    'dora_wd',
    'bypass_mode',
    'constrain',
    'rescaled',
    'train_norm',
    'train_on_input',
    'unit',
  ),
  network_weights: done(start, 'network_weights'),
  dim_from_weights: done('test_network_weights.py::test_dim_from_weights', 'dim_from_weights'),
  base_weights: done(merged, 'base_weights'),
  base_weights_multiplier: done(merged, 'base_weights_multiplier'),
  network_train_unet_only: replaced('Text Encoder learning rate 0, which is the default.'),
  network_train_text_encoder_only: replaced('Unet learning rate 0.'),
  unet_lr: done('test_optimizer_choice.py::test_each_part_has_its_rate', 'unet_lr'),
  text_encoder_lr: done(
    'test_optimizer_choice.py::test_each_part_has_its_rate',
    'text_encoder_lr',
    'text_encoder2_lr',
  ),
  no_metadata: done('test_metadata.py::test_no_metadata_leaves_what_loaders_need', 'no_metadata'),
  training_comment: done(
    'test_train_run.py::test_a_training_from_folder_to_file',
    'training_comment',
  ),
};

export const datasetOptions: Options = {
  train_data_dir: done('test_plan.py::test_the_guides_example', 'train_data_dir'),
  reg_data_dir: done('test_plan.py::test_the_guides_example_with_regularization', 'reg_data_dir'),
  in_json: refused('Captions live beside their pictures.'),
  dataset_config: done(
    'test_dataset_toml.py::test_every_key_counts_where_it_stands',
    'dataset_config',
  ),
  dataset_class: refused('It runs code that a config names.'),
  resolution: done('test_buckets.py::test_resolution_is_read_as_kohya_writes_it', 'max_resolution'),
  cache_info: replaced('What is unchanged is not read again anyway.'),
  shuffle_caption: done(
    'test_caption_rules.py::test_shuffling_moves_all_tags_alike',
    'shuffle_caption',
  ),
  caption_separator: done(
    'test_caption_rules.py::test_another_separator_divides_and_commas_join',
    'caption_separator',
  ),
  caption_extension: done(
    'test_plan.py::test_captions_are_read_from_files_with_the_extension_asked_for',
    'caption_extension',
  ),
  keep_tokens: done('test_caption_rules.py::test_kept_tokens_stay_in_front', 'keep_tokens'),
  keep_tokens_separator: done(
    'test_caption_rules.py::test_the_separator_of_kept_tokens',
    'keep_tokens_separator',
  ),
  secondary_separator: done(
    'test_caption_rules.py::test_the_secondary_separator_binds',
    'secondary_separator',
  ),
  enable_wildcard: done('test_caption_rules.py::test_wildcards', 'enable_wildcard'),
  caption_prefix: done(
    'test_caption_rules.py::test_prefix_and_suffix_come_with_a_blank',
    'caption_prefix',
  ),
  caption_suffix: done(
    'test_caption_rules.py::test_prefix_and_suffix_come_with_a_blank',
    'caption_suffix',
  ),
  color_aug: done('test_render.py::test_hue_is_turned_as_hsv_has_it', 'color_aug'),
  flip_aug: done('test_views.py::test_half_of_the_pictures_are_mirrored', 'flip_aug'),
  face_crop_aug_range: done(
    'test_views.py::test_faces_take_the_share_that_the_range_says_and_are_in_the_middle',
    'face_crop_aug_range',
  ),
  random_crop: done('test_views.py::test_random_crops_lie_everywhere_alike', 'random_crop'),
  debug_dataset: replaced(
    'The plan shows buckets, captions that are missing and steps before the start.',
  ),
  cache_latents: done(
    'test_latents.py::test_kept_or_encoded_anew_the_latents_are_the_same',
    'cache_latents',
  ),
  vae_batch_size: done(
    'test_latents.py::test_batches_give_what_single_pictures_give',
    'vae_batch_size',
  ),
  cache_latents_to_disk: done(
    'test_latents.py::test_what_is_on_disk_needs_no_vae',
    'cache_latents_to_disk',
  ),
  skip_cache_check: replaced(
    'What is cached is found by the content of picture and VAE, so there is nothing to check.',
  ),
  enable_bucket: done(
    'test_plan.py::test_without_buckets_all_pictures_have_one_size',
    'enable_bucket',
  ),
  min_bucket_reso: done('test_buckets.py::test_number_of_predefined_buckets', 'min_bucket_reso'),
  max_bucket_reso: done('test_buckets.py::test_number_of_predefined_buckets', 'max_bucket_reso'),
  bucket_reso_steps: done(
    'test_buckets.py::test_number_of_predefined_buckets',
    'bucket_reso_steps',
  ),
  bucket_no_upscale: done(
    'test_buckets.py::test_kohyas_choice_without_upscaling',
    'bucket_no_upscale',
  ),
  resize_interpolation: done(
    'test_render.py::test_each_filter_is_another_one',
    'resize_interpolation',
  ),
  token_warmup_min: done(
    'test_caption_rules.py::test_warm_up_shows_more_tags_from_step_to_step',
    'token_warmup_min',
  ),
  token_warmup_step: done(
    'test_caption_rules.py::test_warm_up_shows_more_tags_from_step_to_step',
    'token_warmup_step',
  ),
  alpha_mask: done(
    'test_render.py::test_transparency_is_white_and_no_mask_unless_it_is_made_one',
    'alpha_mask',
  ),
  caption_dropout_rate: done('test_caption_rules.py::test_dropout_by_rate', 'caption_dropout_rate'),
  caption_dropout_every_n_epochs: done(
    'test_caption_rules.py::test_dropout_by_epoch_counted_from_1',
    'caption_dropout_every_n_epochs',
  ),
  caption_tag_dropout_rate: done(
    'test_caption_rules.py::test_tags_are_left_out_each_by_itself',
    'caption_tag_dropout_rate',
  ),
  prior_loss_weight: done(
    'test_train_run.py::test_prior_loss_weight_0_silences_regularization',
    'prior_loss_weight',
  ),
  conditioning_data_dir: done(
    'test_picture_folders.py::test_a_mask_has_the_pictures_name_with_any_extension',
    'conditioning_data_dir',
  ),
  masked_loss: done('test_objective.py::test_masks_come_before_the_mean', 'masked_loss'),
  dataset_repeats: done(
    'test_concepts.py::test_a_folder_with_pictures_is_one_concept_with_the_repeats_asked_for',
    'dataset_repeats',
  ),
};

export const sdxlOptions: Options = {
  cache_text_encoder_outputs: done(
    'test_text.py::test_texts_are_the_same_cached_and_live',
    'cache_text_encoder_outputs',
  ),
  cache_text_encoder_outputs_to_disk: done(
    'test_text.py::test_what_is_on_disk_needs_no_encoder',
    'cache_text_encoder_outputs_to_disk',
  ),
};
