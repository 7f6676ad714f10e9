import { defaultTrainConfig } from './parameters';
import { networkParameters } from './parameters/network';
import { noiseAndLossParameters } from './parameters/noise-and-loss';
import { optimizerParameters } from './parameters/optimizer';
import { isPresetKey, type PresetKey, type PresetValues } from './preset-values';

/**
 * The presets that come with the app. Each sets every key of its family, at the table's default where it has no reason
 * to differ, so that nothing stays of the preset before it or of what was tried by hand. The two families are meant to
 * be used together: they have only the network's size and the batch in common.
 */

export interface Preset {
  readonly id: string;
  readonly name: string;
  /** Whom it is for, in a short sentence. */
  readonly audience: string;
  /** What it does for them, in another. */
  readonly about: string;
  readonly values: PresetValues;
}

interface PresetFamily {
  readonly title: string;
  /** What each of its presets sets, and all that it sets. */
  readonly keys: readonly PresetKey[];
  readonly presets: readonly Preset[];
}

const keysOf = (table: object): readonly PresetKey[] => Object.keys(table).filter(isPresetKey);

/** What is learnt and how: length, network, optimizer, augmentation, loss, and what is kept to choose from. */
const learningKeys: readonly PresetKey[] = [
  ...(['train_batch_size', 'gradient_accumulation_steps', 'epoch', 'max_train_steps'] as const),
  ...(['max_resolution', 'enable_bucket', 'min_bucket_reso', 'max_bucket_reso'] as const),
  ...(['bucket_no_upscale', 'bucket_reso_steps'] as const),
  ...keysOf(networkParameters),
  ...keysOf(optimizerParameters),
  ...(['save_every_n_epochs', 'save_every_n_steps', 'save_n_epoch_ratio'] as const),
  ...(['save_last_n_epochs', 'save_last_n_steps', 'use_ema', 'ema_decay'] as const),
  ...(['shuffle_caption', 'caption_dropout_rate', 'caption_dropout_every_n_epochs'] as const),
  ...(['caption_tag_dropout_rate', 'token_warmup_min', 'token_warmup_step'] as const),
  ...(['random_crop', 'face_crop_aug_range', 'flip_aug', 'color_aug'] as const),
  ...keysOf(noiseAndLossParameters),
  'validation_split',
  ...(['sample_every_n_steps', 'sample_every_n_epochs', 'sample_at_first'] as const),
];

/**
 * What decides how much memory a step needs; samples of 1024x1024 fit beside it. Not the optimizer: its rate and schedule
 * go with it, and its numbers are small at these ranks.
 */
const memoryKeys = [
  ...(['train_batch_size', 'gradient_accumulation_steps', 'mixed_precision', 'full_bf16'] as const),
  ...(['cache_latents', 'cache_text_encoder_outputs', 'vae_batch_size'] as const),
  ...(['lora_type', 'network_dim', 'network_alpha', 'conv_dim', 'conv_alpha'] as const),
  ...(['block_dims', 'block_alphas', 'conv_block_dims', 'conv_block_alphas'] as const),
  ...(['gradient_checkpointing', 'checkpointing_method', 'quantize_base_model'] as const),
] as const satisfies readonly PresetKey[];

const usual = (keys: readonly PresetKey[]): PresetValues =>
  Object.fromEntries(keys.map((key) => [key, defaultTrainConfig[key]]));

/** SDXL base 1.0 was finished with an offset of this kind, and most guides even out the timesteps. */
const asTheGuides: PresetValues = { noise_offset: 0.0357, min_snr_gamma: 5 };

const learning = (changes: PresetValues): PresetValues => ({
  ...usual(learningKeys),
  ...asTheGuides,
  ...changes,
});

type MemoryKey = (typeof memoryKeys)[number];
const memory = (
  gigabytes: number,
  says: Pick<Preset, 'audience' | 'about'>,
  changes: Pick<PresetValues, MemoryKey>,
): Preset => ({
  id: `memory-${gigabytes}`,
  name: `Low memory, ${gigabytes} GB`,
  ...says,
  values: { ...usual(memoryKeys), ...changes },
});

export const presetFamilies: readonly PresetFamily[] = [
  {
    title: 'What you train',
    keys: learningKeys,
    presets: [
      {
        id: 'avatar',
        name: 'Avatar from 10 to 20 photos',
        audience: 'For one person or character.',
        about: 'Calm steps, nothing mirrored, and a LoRA of every epoch to choose the best from.',
        values: learning({}),
      },
      {
        id: 'style',
        name: 'Style',
        audience: 'For the look of 30 or more pictures.',
        about:
          'Some are shown mirrored or without caption, so that the look comes without its trigger word too.',
        values: learning({ flip_aug: true, caption_dropout_rate: 0.1 }),
      },
      {
        id: 'fast',
        name: 'Fast',
        audience: 'For a first look in about a quarter of the time.',
        about:
          'Shows whether photos and captions will do: smaller pictures, half the epochs, larger steps.',
        values: learning({ max_resolution: '768,768', epoch: 5, learning_rate: 3e-4 }),
      },
    ],
  },
  {
    title: 'Memory of your GPU',
    keys: memoryKeys,
    presets: [
      memory(
        8,
        {
          audience: 'For GPUs with 8 GB: slow, but it fits.',
          about: 'The base model in 4 bits, half the usual rank, and everything checkpointed.',
        },
        { quantize_base_model: 'nf4', network_dim: 16, network_alpha: 8 },
      ),
      memory(
        12,
        {
          audience: 'For GPUs with 12 GB.',
          about: 'The base model as it is, and everything checkpointed.',
        },
        {},
      ),
      memory(
        16,
        {
          audience: 'For GPUs with 16 GB: faster.',
          about: 'Checkpointed, but what takes longest to compute is kept.',
        },
        { checkpointing_method: 'selective' },
      ),
      memory(
        24,
        {
          audience: 'For GPUs with 24 GB: fastest.',
          about: 'Not checkpointed: nothing is computed twice.',
        },
        { gradient_checkpointing: false },
      ),
    ],
  },
];
