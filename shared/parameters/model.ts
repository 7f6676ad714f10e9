import { choice, file, modelPath, text, toggle } from './rows';
import { is } from './rules';

/** What is trained on, and what the LoRA is called. */
export const modelParameters = {
  pretrained_model_name_or_path: modelPath({
    label: 'Pretrained model name or path',
    group: 'Model',
    simple: true,
    words: 'base model checkpoint',
    help: 'The SDXL checkpoint that the LoRA is trained on: one .safetensors file, a diffusers folder, or a Hugging Face name. Train on the model you will draw with, or on SDXL base 1.0 when the LoRA should work everywhere.',
    default: 'stabilityai/stable-diffusion-xl-base-1.0',
    suggestions: [
      'stabilityai/stable-diffusion-xl-base-1.0',
      'SG161222/RealVisXL_V5.0',
      'RunDiffusion/Juggernaut-XL-v9',
      'cagliostrolab/animagine-xl-4.0',
    ],
    required: true,
  }),
  v_parameterization: toggle({
    label: 'v_param',
    group: 'Model',
    words: 'v-prediction vpred NoobAI',
    help: 'The base model predicts v instead of noise, as NoobAI-XL Vpred does. SDXL base 1.0 and most models made from it do not.',
    default: false,
  }),
  vae: file({
    label: 'VAE (Optional: Path to checkpoint of vae for training)',
    group: 'Model',
    help: 'Encodes the pictures instead of the base model’s own VAE. It always works in fp32, since SDXL’s overflows in fp16.',
    default: '',
    extensions: ['safetensors'],
  }),
  output_name: text({
    label: 'Trained Model output name',
    group: 'Model',
    simple: true,
    words: 'file name',
    help: 'File name of the LoRA, without .safetensors. What is kept on the way gets a number behind it, such as name-000005 for epoch 5.',
    default: 'last',
    required: true,
    pattern: /^(?!\.)[^<>:"/\\|?*\u0000-\u001f]+(?<![. ])$/u,
    patternHelp:
      'Trained Model output name must be a plain file name: none of < > : " / \\ | ? *, no dot in front, no dot or blank at the end.',
  }),
  save_precision: choice({
    label: 'Save precision',
    group: 'Model',
    simple: true,
    help: 'Number format of the weights in the file. fp16 loads everywhere and loses nothing visible; float doubles the size.',
    options: ['float', 'fp16', 'bf16'],
    default: 'fp16',
  }),
  training_comment: text({
    label: 'Training comment',
    group: 'Model',
    appliesWhen: [is('no_metadata', false)],
    help: 'Free text kept in the metadata of the LoRA, for example its trigger word. It changes nothing in the training.',
    default: '',
  }),
} as const;
