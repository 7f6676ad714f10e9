import type { ModelIdentity } from '../../../shared/worker-protocol';

const kinds: Record<ModelIdentity['kind'], string> = {
  sdxl: 'SDXL',
  sdxl_refiner: 'SDXL refiner',
  sd1: 'Stable Diffusion 1',
  sd2: 'Stable Diffusion 2',
  sd3: 'Stable Diffusion 3',
  flux: 'FLUX',
  lora: 'LoRA',
  unknown: 'Unknown model',
  missing: 'Not found',
  hub: 'Hugging Face',
};

const formats: Record<ModelIdentity['format'], string | null> = {
  single_file: 'single file',
  diffusers: 'diffusers folder',
  hub: 'fetched when training starts',
  none: null,
};

/** In a few words: `SDXL, diffusers folder`. */
export function describeIdentity({ kind, format }: ModelIdentity): string {
  const detail = formats[format];
  return detail === null ? kinds[kind] : `${kinds[kind]}, ${detail}`;
}
