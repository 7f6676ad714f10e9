import { defaultTrainConfig } from '../parameters';
import { isEmpty, isOn, notA } from './convert';

/** What kohya_ss says with several keys, or in other words than we do, said in ours. */

export type Raw = Readonly<Record<string, unknown>>;

/** A key, and what became of its value. */
export type Change = readonly [key: string, message: string];

/** Keys of kohya_ss, or of sd-scripts, that are read here and nowhere else. */
export const legacyKeys = [
  'use_8bit_adam',
  'noise_offset_type',
  'fp8_base',
  'fp8_base_unet',
  't5xxl_lr',
  'network_train_unet_only',
  'network_train_text_encoder_only',
  'lora_network_weights',
  'conv_dims',
  'conv_alphas',
] as const;

interface Modern {
  readonly raw: Raw;
  readonly changes: readonly Change[];
}

/**
 * The values of a file as if our app had written them, for the parameters to be taken from.
 *
 * @param additional what its additional parameters say, which wins over its fields
 */
export function modernise(fields: Raw, additional: Raw = {}): Modern {
  // Our own files have this key, kohya_ss's spell it LoRA_type. What ours say is what is meant.
  if ('lora_type' in fields) return { raw: { ...fields, ...additional }, changes: [] };
  const changes: Change[] = [];
  // kohya_ss sends additional parameters whatever the kind of noise is.
  const sent = { ...fields, ...noise(fields, changes), ...additional };
  const steps = [unquoted, renamed, optimizer, eightBits, zeros, warmup, rates, logging];
  return { raw: applied(steps, sent, changes), changes };
}

/** The same for a config of sd-scripts, whose options are given by our keys. */
export function moderniseOptions(raw: Raw): Modern {
  const changes: Change[] = [];
  return { raw: applied([eightBits, warmup, logging], raw, changes), changes };
}

const applied = (steps: readonly Step[], raw: Raw, changes: Change[]): Raw =>
  steps.reduce<Raw>((before, step) => ({ ...before, ...step(before, changes) }), raw);

/** Changed values; what was changed is added to `changes`. */
type Step = (raw: Raw, changes: Change[]) => Raw;

const shown = (value: unknown): string => JSON.stringify(value);

/** An empty value is 0. @throws ProblemError `bad_value` */
function numberOf(key: string, raw: unknown): number {
  const number = isEmpty(raw) ? 0 : Number(raw);
  if (!Number.isFinite(number)) throw notA('a number', key, key, raw);
  return number;
}

/** Quotes are not part of arguments: kohya_ss takes them off. */
const unquoted: Step = (raw) =>
  Object.fromEntries(
    ['optimizer_args', 'lr_scheduler_args']
      .filter((key) => typeof raw[key] === 'string')
      .map((key) => [key, String(raw[key]).replaceAll('"', '')]),
  );

/** Keys of earlier versions, where the present ones say nothing. */
const renamed: Step = (raw) =>
  Object.fromEntries(
    (
      [
        ['lora_network_weights', 'network_weights'],
        ['conv_dims', 'conv_block_dims'],
        ['conv_alphas', 'conv_block_alphas'],
      ] as const
    )
      .filter(([old, key]) => !isEmpty(raw[old]) && isEmpty(raw[key]))
      .map(([old, key]) => [key, raw[old]]),
  );

const optimizer: Step = (raw) => {
  if ('optimizer' in raw || !('use_8bit_adam' in raw)) return {};
  return { optimizer: isOn(raw['use_8bit_adam']) ? 'AdamW8bit' : 'AdamW' };
};

/** kohya_ss sends the values of one kind of noise only. */
const noise: Step = (raw, changes) => {
  const kind = raw['noise_offset_type'];
  if (typeof kind !== 'string' || isEmpty(kind)) return {};
  const dropped =
    kind.toLowerCase() === 'multires'
      ? (['noise_offset', 'adaptive_noise_scale'] as const)
      : (['multires_noise_iterations'] as const);
  for (const key of dropped)
    if (Number(raw[key] ?? 0) !== 0)
      changes.push([
        key,
        `${key} is ${shown(raw[key])}, but noise_offset_type is ${kind}: it is not used, as in kohya_ss.`,
      ]);
  return Object.fromEntries(
    dropped.filter((key) => key in raw).map((key) => [key, defaultTrainConfig[key]]),
  );
};

const eightBits: Step = (raw, changes) => {
  const isPrecision = String(raw['mixed_precision']).trim().toLowerCase() === 'fp8';
  const asked = ['fp8_base', 'fp8_base_unet'].filter((key) => isOn(raw[key]));
  const key = isPrecision ? 'mixed_precision' : asked[0];
  if (key === undefined) return {};
  changes.push([
    key,
    `${key} asks for fp8: the frozen U-Net is stored in it (quantize_base_model)${isPrecision ? ', and computed in bf16' : ''}.`,
  ]);
  return { quantize_base_model: 'fp8', ...(isPrecision && { mixed_precision: 'bf16' }) };
};

/** Zeros that mean nothing: kohya_ss leaves them out, so that sd-scripts' own values count. */
const zeros: Step = (raw, changes) =>
  Object.fromEntries(
    (['max_timestep', 'huber_c', 'huber_scale'] as const)
      .filter((key) => key in raw && !isEmpty(raw[key]) && Number(raw[key]) === 0)
      .map((key) => {
        const value = defaultTrainConfig[key];
        changes.push([key, `${key} is 0, which kohya_ss leaves out: ${String(value)} is used.`]);
        return [key, value];
      }),
  );

/** kohya_ss logs nothing where nothing is chosen. */
const logging: Step = (raw, changes) => {
  const asked = raw['log_with'];
  if (asked === undefined || asked === 'tensorboard') return {};
  if (isEmpty(asked)) return { log_with: 'none' };
  changes.push([
    'log_with',
    `log_with is ${shown(asked)}: tensorboard is used; nothing is sent anywhere.`,
  ]);
  return { log_with: 'tensorboard' };
};

/** sd-scripts reads a warm-up below 1 as a share of the steps. */
const warmup: Step = (raw) => {
  const steps = Number(raw['lr_warmup_steps'] ?? 0);
  if (!(steps > 0 && steps < 1)) return {};
  return { lr_warmup_steps: 0, lr_warmup: Math.round(100 * steps) };
};

const rates: Step = (raw, changes) => {
  const encoders = encoderRates(raw, changes);
  const modern = { ...raw, ...encoders, ...unetRate({ ...raw, ...encoders }, changes) };
  return { ...modern, ...onlyOne(modern) };
};

/** `text_encoder_lr` may be a number, a list, or numbers with blanks between them; the second may be `t5xxl_lr` too. */
function encoderRates(raw: Raw, changes: Change[]): Raw {
  const given = raw['text_encoder_lr'];
  const parts = typeof given === 'string' ? given.trim().split(/[\s,]+/u) : [given].flat();
  const [first = 0, second] = parts.map((part) => numberOf('text_encoder_lr', part));
  const key = second === undefined ? 't5xxl_lr' : 'text_encoder_lr';
  const ofSecond = second ?? numberOf('t5xxl_lr', raw['t5xxl_lr']);
  const encoders = 'text_encoder_lr' in raw ? { text_encoder_lr: first } : {};
  // kohya_ss fills the second place with the first rate, and leaves t5xxl_lr at 0 where it is not used.
  if ((second === undefined && ofSecond === 0) || ofSecond === first) return encoders;
  changes.push([
    key,
    `${key} is ${shown(raw[key])}: the second text encoder is trained with ${String(ofSecond)}, where sd-scripts gives it the rate of the first.`,
  ]);
  return { ...encoders, text_encoder2_lr: ofSecond };
}

const trainsEncoder = (raw: Raw): boolean =>
  Number(raw['text_encoder_lr'] ?? 0) !== 0 || Number(raw['text_encoder2_lr'] ?? 0) !== 0;

/**
 * kohya_ss sends no rate of 0. Only the other part is trained where one of the two is 0; where both are, U-Net and text
 * encoders are trained with `learning_rate`.
 */
function unetRate(raw: Raw, changes: Change[]): Raw {
  if (!('unet_lr' in raw) || numberOf('unet_lr', raw['unet_lr']) !== 0) return {};
  if (trainsEncoder(raw)) {
    if (isEmpty(raw['unet_lr']))
      changes.push([
        'unet_lr',
        'unet_lr is not set and text_encoder_lr is: only the text encoders are trained, as in kohya_ss.',
      ]);
    return { unet_lr: 0 };
  }
  if (!('text_encoder_lr' in raw)) return { unet_lr: null };
  const rate = raw['learning_rate'] ?? defaultTrainConfig.learning_rate;
  changes.push([
    'text_encoder_lr',
    `unet_lr and text_encoder_lr are 0: the U-Net and both text encoders are trained with the learning_rate of ${shown(rate)}, as in kohya_ss.`,
  ]);
  return { unet_lr: null, text_encoder_lr: rate };
}

/** sd-scripts' switches for one part alone. */
function onlyOne(raw: Raw): Raw {
  if (isOn(raw['network_train_unet_only'])) return { text_encoder_lr: 0, text_encoder2_lr: null };
  if (!isOn(raw['network_train_text_encoder_only'])) return {};
  const rate = raw['learning_rate'] ?? defaultTrainConfig.learning_rate;
  return { unet_lr: 0, ...(!trainsEncoder(raw) && { text_encoder_lr: rate }) };
}
