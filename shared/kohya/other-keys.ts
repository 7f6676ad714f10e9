/**
 * kohya_ss's keys that our parameters do not have. From its field registry.
 */

/**
 * Keys that change what is trained or kept, with the value at which they do nothing. Any other value is reported: the
 * run goes on without it.
 */
export const unsupportedKeys: Readonly<Record<string, string | number | boolean>> = {
  resume_from_huggingface: '',
  train_lora_ggpo: false,
  stop_text_encoder_training: 0,
  stop_text_encoder_training_pct: 0,
  full_fp16: false,
  train_inpainting: false,
  save_model_as: 'safetensors',
  huggingface_repo_id: '',
};

/** Why a key has no effect, where there is more to say than that it is not supported. */
export const reasons: Readonly<Record<string, string>> = {
  full_fp16:
    'the LoRA’s own weights stay in fp32, since small steps are lost in fp16; full_bf16 rounds them at random instead',
};

/** Keys that are about kohya_ss itself, about speed or memory, or about other models: left out without a word. */
export const irrelevantKeys: ReadonlySet<string> = new Set(
  `
  model_list num_cpu_threads_per_process dynamo_backend dynamo_mode dynamo_use_fullgraph dynamo_use_dynamic
  extra_accelerate_launch_args highvram lowvram xformers clip_skip mem_eff_attn max_data_loader_n_workers
  persistent_data_loader_workers skip_cache_check wandb_api_key wandb_run_name log_tracker_name log_tracker_config
  log_config sdxl_no_half_vae ggpo_sigma ggpo_beta huggingface_token huggingface_repo_type huggingface_repo_visibility
  huggingface_path_in_repo save_state_to_huggingface async_upload blocks_to_swap show_timesteps
  show_timesteps_resolution flux1_cache_text_encoder_outputs flux1_cache_text_encoder_outputs_to_disk model_type ae
  clip_l t5xxl discrete_flow_shift model_prediction_type timestep_sampling split_mode train_blocks
  t5xxl_max_token_length enable_all_linear guidance_scale mem_eff_save apply_t5_attn_mask split_qkv train_t5xxl
  cpu_offload_checkpointing single_blocks_to_swap double_blocks_to_swap img_attn_dim img_mlp_dim img_mod_dim
  single_dim txt_attn_dim txt_mlp_dim txt_mod_dim single_mod_dim in_dims train_double_block_indices
  train_single_block_indices sd3_cache_text_encoder_outputs sd3_cache_text_encoder_outputs_to_disk
  sd3_fused_backward_pass clip_g clip_g_dropout_rate sd3_clip_l sd3_clip_l_dropout_rate
  sd3_disable_mmap_load_safetensors sd3_enable_scaled_pos_embed logit_mean logit_std mode_scale
  pos_emb_random_crop_rate save_clip save_t5xxl sd3_t5_dropout_rate sd3_t5xxl t5xxl_device t5xxl_dtype
  sd3_text_encoder_batch_size weighting_scheme hunyuan_image_cache_text_encoder_outputs
  hunyuan_image_cache_text_encoder_outputs_to_disk hunyuan_text_encoder hunyuan_byt5 hunyuan_vae
  hunyuan_discrete_flow_shift hunyuan_model_prediction_type hunyuan_timestep_sampling hunyuan_sigmoid_scale
  hunyuan_attn_mode hunyuan_split_attn hunyuan_fp8_scaled hunyuan_fp8_vl hunyuan_text_encoder_cpu
  hunyuan_vae_chunk_size anima_cache_text_encoder_outputs anima_cache_text_encoder_outputs_to_disk anima_qwen3
  anima_vae anima_llm_adapter_path anima_t5_tokenizer_path anima_discrete_flow_shift anima_timestep_sampling
  anima_sigmoid_scale anima_qwen3_max_token_length anima_t5_max_token_length anima_attn_mode anima_split_attn
  anima_vae_chunk_size anima_vae_disable_cache anima_unsloth_offload_checkpointing anima_qwen_image_vae_2d
  anima_compile anima_torch_compile anima_compile_backend anima_compile_mode anima_compile_dynamic
  anima_compile_fullgraph anima_compile_cache_size_limit lumina_cache_text_encoder_outputs
  lumina_cache_text_encoder_outputs_to_disk lumina_gemma2 lumina_ae lumina_discrete_flow_shift
  lumina_model_prediction_type lumina_timestep_sampling lumina_sigmoid_scale lumina_gemma2_max_token_length
  lumina_system_prompt lumina_use_flash_attn lumina_use_sage_attn save_as_bool use_wandb multi_gpu no_token_padding
`
    .trim()
    .split(/\s+/u),
);
