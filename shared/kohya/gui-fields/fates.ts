import { trainerFates } from '../trainer-options';
import type { FieldFate } from './rows';

/** What becomes of the fields that are no parameters. */

const read = (how: string): FieldFate => ({ kind: 'read', how });
const otherModel = (model: string): FieldFate => ({ kind: 'otherModel', model });
const told = (why: string): FieldFate => ({ kind: 'told', why });
const needless = (why: string): FieldFate => ({ kind: 'needless', why });

/** As the option of sd-scripts that the field is for. */
function reasonOf(option: string): string {
  const fate = trainerFates[option];
  if (fate?.kind === 'replaced') return fate.how;
  if (fate?.kind === 'refused') return fate.why;
  if (fate?.kind === 'notBuilt') return `Not built yet: ${fate.what}`;
  throw new Error(`sd-scripts' ${option} has no reason.`);
}

const each = (names: string, fateOf: (name: string) => FieldFate): Record<string, FieldFate> =>
  Object.fromEntries(names.split(' ').map((name) => [name, fateOf(name)]));

const compiling = 'What compiling would gain is not measured yet.';
const dynamo = needless(compiling);
const ggpo = needless('It belongs to Train LoRA GGPO.');
const eightBits = read('Quantize base model (`quantize_base_model`) becomes fp8.');
const timesteps = 'It shows timesteps instead of training.';

export const fieldFates: Readonly<Record<string, FieldFate>> = {
  v2: otherModel('Stable Diffusion 2'),
  flux1_checkbox: otherModel('Flux.1'),
  sd3_checkbox: otherModel('Stable Diffusion 3'),
  hunyuan_image_checkbox: otherModel('HunyuanImage'),
  anima_checkbox: otherModel('Anima'),
  lumina_checkbox: otherModel('Lumina'),
  sdxl: read('Every model is trained as SDXL, and refused if it is not one.'),
  max_train_epochs: read('Epoch (`epoch`): above 0 it wins over Epoch and Max train steps.'),
  fp8_base: eightBits,
  fp8_base_unet: eightBits,
  noise_offset_type: read(
    'Decides whether the values of Noise offset or of Multires noise are taken.',
  ),
  additional_parameters: read(
    'Each option goes to the parameter that it means; one that has no effect is named.',
  ),
  t5xxl_lr: read('Text Encoder 2 learning rate (`text_encoder2_lr`).'),
  multi_gpu: needless('Number of processes says it.'),
  ...each('save_model_as full_fp16 huggingface_repo_id resume_from_huggingface', (name) =>
    told(reasonOf(name)),
  ),
  train_inpainting: told('Inpainting models have another U-Net, which is not SDXL’s.'),
  stop_text_encoder_training: told('kohya_ss refuses it for a LoRA too.'),
  train_lora_ggpo: told('It is not built.'),
  ggpo_sigma: ggpo,
  ggpo_beta: ggpo,
  extra_accelerate_launch_args: told('Processes are started without accelerate launch.'),
  show_timesteps: told(timesteps),
  show_timesteps_resolution: needless(timesteps),
  dynamo_backend: told(compiling),
  dynamo_mode: dynamo,
  dynamo_use_fullgraph: dynamo,
  dynamo_use_dynamic: dynamo,
  model_list: needless('Pretrained model name or path says it.'),
  num_cpu_threads_per_process: needless('PyTorch’s own number is used.'),
  lowvram: needless('kohya_ss no longer passes it on.'),
  blocks_to_swap: needless('It is for other models than SDXL.'),
  sdxl_no_half_vae: needless(reasonOf('no_half_vae')),
  ...each(
    'highvram xformers clip_skip mem_eff_attn max_data_loader_n_workers persistent_data_loader_workers skip_cache_check wandb_api_key wandb_run_name log_tracker_name log_tracker_config log_config huggingface_token huggingface_repo_type huggingface_repo_visibility huggingface_path_in_repo save_state_to_huggingface async_upload',
    (name) => needless(reasonOf(name)),
  ),
};
