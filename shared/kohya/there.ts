import type { TrainConfig } from '../parameters';

/** What a config of ours means to Kohya's trainer. */

/** sd-scripts' names of samplers that are the nearest to ours. */
const samplers: Readonly<Record<string, TrainConfig['sample_sampler']>> = {
  'dpm++_2m_karras': 'dpmsolver++',
  'dpm++_2m': 'dpmsolver++',
  'dpm++_2m_sde_karras': 'dpmsolver++',
  unipc: 'dpmsolver++',
};

export const samplerThere = ({ sample_sampler }: TrainConfig): string =>
  samplers[sample_sampler] ?? sample_sampler;

/** Learning rate of the second text encoder: that of the first where none is set. */
export const secondRate = ({ text_encoder_lr, text_encoder2_lr }: TrainConfig): number =>
  text_encoder2_lr ?? text_encoder_lr;

/** What it will not start with, or does otherwise: each in a sentence. */
export function otherwiseThere(config: TrainConfig): string[] {
  const said: string[] = [];
  if (config.cache_text_encoder_outputs && textsChange(config))
    said.push(
      'It refuses Cache text encoder outputs where the text encoders are trained or captions change: turn it off there.',
    );
  if (config.cache_latents && (config.color_aug || config.random_crop))
    said.push(
      'It refuses Cache latents with Color augmentation or Random crop: turn it off there.',
    );
  if (samplerThere(config) !== config.sample_sampler)
    said.push(
      `It has no sampler ${config.sample_sampler}: ${samplerThere(config)} is written in its place.`,
    );
  if (config.quantize_base_model !== 'none' && config.quantize_base_model !== 'fp8')
    said.push(`It cannot quantize the base model to ${config.quantize_base_model}.`);
  if (config.use_ema) said.push('It has no EMA.');
  return said;
}

const textsChange = (config: TrainConfig): boolean =>
  config.text_encoder_lr !== 0 ||
  secondRate(config) !== 0 ||
  config.shuffle_caption ||
  config.caption_dropout_rate > 0 ||
  config.caption_dropout_every_n_epochs > 0 ||
  config.caption_tag_dropout_rate > 0 ||
  config.token_warmup_step > 0;
