import { z } from 'zod';

/**
 * The parameter table. Keys and labels are kohya_ss's; defaults are right for SDXL where kohya_ss's are not.
 * Forms, validation, tooltips, Kohya import and export and the bridge's config all come from it.
 */

export type ParameterGroup = 'Model' | 'Folders' | 'Basic' | 'Advanced' | 'Samples';

interface Row<D> {
  readonly label: string;
  /** kohya_ss's key, where it is not ours. */
  readonly kohyaKey?: string;
  readonly group: ParameterGroup;
  readonly help: string;
  readonly default: D;
}

interface NumberRow<D> extends Row<D> {
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly unit?: string;
}

const integer = <const R extends NumberRow<number>>(row: R) => ({
  ...row,
  kind: 'integer' as const,
  schema: z
    .number({ error: `${row.label} must be a whole number.` })
    .int({ error: `${row.label} must be a whole number.` })
    .min(row.min, { error: `${row.label} must be at least ${row.min}.` })
    .max(row.max, { error: `${row.label} must be at most ${row.max}.` }),
});

const decimalSchema = (row: NumberRow<unknown>) =>
  z
    .number({ error: `${row.label} must be a number.` })
    .min(row.min, { error: `${row.label} must be at least ${row.min}.` })
    .max(row.max, { error: `${row.label} must be at most ${row.max}.` });

const decimal = <const R extends NumberRow<number>>(row: R) => ({
  ...row,
  kind: 'decimal' as const,
  schema: decimalSchema(row),
});

const optionalDecimal = <const R extends NumberRow<null>>(row: R) => ({
  ...row,
  kind: 'optionalDecimal' as const,
  schema: decimalSchema(row).nullable(),
});

const toggle = <const R extends Row<boolean>>(row: R) => ({
  ...row,
  kind: 'toggle' as const,
  schema: z.boolean(),
});

const choice = <
  const O extends readonly [string, ...string[]],
  const R extends Row<O[number]> & {
    readonly options: O;
    /** Its name in the bridge, where more than the config has it. */
    readonly typeName?: string;
  },
>(
  row: R & { readonly options: O },
) => ({
  ...row,
  kind: 'choice' as const,
  schema:
    row.typeName === undefined
      ? z.enum(row.options)
      : z.enum(row.options).meta({ id: row.typeName }),
});

interface TextRow extends Row<string> {
  readonly required?: boolean;
  readonly pattern?: RegExp;
  readonly patternHelp?: string;
}

const textSchema = (row: TextRow) => {
  let schema = z.string();
  if (row.required) schema = schema.min(1, { error: `${row.label} must not be empty.` });
  if (row.pattern)
    schema = schema.regex(row.pattern, {
      error: row.patternHelp ?? `${row.label} is not in the right form.`,
    });
  return schema;
};

const text = <const R extends TextRow>(row: R) => ({
  ...row,
  kind: 'text' as const,
  schema: textSchema(row),
});

/** Text of several lines. */
const lines = <const R extends TextRow>(row: R) => ({
  ...row,
  kind: 'lines' as const,
  schema: textSchema(row),
});

const folder = <const R extends TextRow>(row: R) => ({
  ...row,
  kind: 'folder' as const,
  schema: textSchema(row),
});

const modelPath = <const R extends TextRow>(row: R) => ({
  ...row,
  kind: 'model' as const,
  schema: textSchema(row),
});

export const parameters = {
  pretrained_model_name_or_path: modelPath({
    label: 'Pretrained model name or path',
    group: 'Model',
    help: 'The SDXL checkpoint that the LoRA is trained on: one .safetensors file, a diffusers folder, or a Hugging Face name. Train on the model you will draw with, or on SDXL base 1.0 when the LoRA should work everywhere.',
    default: 'stabilityai/stable-diffusion-xl-base-1.0',
    required: true,
  }),
  output_name: text({
    label: 'Trained Model output name',
    group: 'Model',
    help: 'File name of the LoRA, without .safetensors.',
    default: 'last',
    required: true,
    pattern: /^(?!\.)[^<>:"/\\|?*\u0000-\u001f]+(?<![. ])$/u,
    patternHelp:
      'Trained Model output name must be a plain file name: none of < > : " / \\ | ? *, no dot in front, no dot or blank at the end.',
  }),
  save_precision: choice({
    label: 'Save precision',
    group: 'Model',
    help: 'Number format of the weights in the file. fp16 loads everywhere and loses nothing visible; float doubles the size.',
    options: ['float', 'fp16', 'bf16'],
    default: 'fp16',
  }),
  training_comment: text({
    label: 'Training comment',
    group: 'Model',
    help: 'Free text kept in the metadata of the LoRA, for example the trigger word.',
    default: '',
  }),
  train_data_dir: folder({
    label: 'Image folder (containing training images subfolders)',
    group: 'Folders',
    help: 'The folder that holds the <repeats>_<instance> <class> folders, as Dataset Preparation makes them (img).',
    default: '',
    required: true,
  }),
  reg_data_dir: folder({
    label: 'Regularisation directory',
    group: 'Folders',
    help: 'Optional. Pictures of the class in general, which keep the model from turning every member of the class into your subject. They double the steps of an epoch.',
    default: '',
  }),
  output_dir: folder({
    label: 'Output directory for trained model',
    group: 'Folders',
    help: 'Where the LoRA is written.',
    default: '',
    required: true,
  }),
  logging_dir: folder({
    label: 'Logging directory',
    group: 'Folders',
    help: 'Where each run gets its own folder with its settings, events and console output.',
    default: '',
    required: true,
  }),
  train_batch_size: integer({
    label: 'Train batch size',
    group: 'Basic',
    help: 'Pictures per step. More is faster per picture and needs more memory.',
    default: 1,
    min: 1,
    max: 64,
  }),
  epoch: integer({
    label: 'Epoch',
    group: 'Basic',
    help: 'How often all pictures, times their repeats, are gone through. Used while Max train steps is 0.',
    default: 10,
    min: 1,
    max: 100000,
  }),
  max_train_steps: integer({
    label: 'Max train steps',
    group: 'Basic',
    help: 'Stop after exactly this many steps. 0 lets Epoch decide, which is what the guides mean.',
    default: 0,
    min: 0,
    max: 10000000,
  }),
  save_every_n_epochs: integer({
    label: 'Save every N epochs',
    group: 'Basic',
    help: 'Keep a LoRA of every Nth epoch, so that you can pick the best. 0 keeps only the last.',
    default: 1,
    min: 0,
    max: 100000,
  }),
  caption_extension: text({
    label: 'Caption file extension',
    group: 'Basic',
    help: 'The caption of photo.png is photo with this extension.',
    default: '.txt',
    required: true,
    pattern: /^\.[^<>:"/\\|?*\s]+$/u,
    patternHelp: 'Caption file extension must begin with a dot, like .txt.',
  }),
  mixed_precision: choice({
    label: 'Mixed precision',
    group: 'Basic',
    help: 'Number format of the frozen model while training. bf16 is right for every GPU since the RTX 30 series; fp16 for older ones; no (fp32) for CPUs.',
    options: ['no', 'fp16', 'bf16'],
    default: 'bf16',
  }),
  seed: integer({
    label: 'Seed',
    group: 'Basic',
    help: 'The same seed, data and settings give the same LoRA. 0 draws a new seed for each run and notes it in the file.',
    default: 0,
    min: 0,
    max: 4294967295,
  }),
  learning_rate: decimal({
    label: 'Learning rate',
    group: 'Basic',
    help: 'How far each step moves the weights. 0.0001 is safe for AdamW; the guide uses 0.0003.',
    default: 0.0001,
    min: 0,
    max: 1,
  }),
  unet_lr: optionalDecimal({
    label: 'Unet learning rate',
    group: 'Basic',
    help: 'Learning rate of the U-Net. Empty uses Learning rate.',
    default: null,
    min: 0,
    max: 1,
  }),
  lr_scheduler: choice({
    label: 'LR Scheduler',
    group: 'Basic',
    help: 'How the learning rate changes over the run: constant keeps it, cosine lets it fall smoothly to 0.',
    options: ['constant', 'constant_with_warmup', 'cosine'],
    default: 'cosine',
  }),
  lr_warmup: integer({
    label: 'LR warmup (% of total steps)',
    group: 'Basic',
    help: 'The learning rate rises from 0 over this share of the steps. Not used by constant.',
    default: 0,
    min: 0,
    max: 100,
    unit: '%',
  }),
  optimizer: choice({
    label: 'Optimizer',
    group: 'Basic',
    help: 'What turns gradients into steps. AdamW is the standard.',
    options: ['AdamW'],
    default: 'AdamW',
  }),
  max_grad_norm: decimal({
    label: 'Max grad norm',
    group: 'Basic',
    help: 'Gradients longer than this are shortened to it, so that one odd picture cannot ruin the run. 0 turns it off.',
    default: 1,
    min: 0,
    max: 1000,
  }),
  max_resolution: text({
    label: 'Max resolution',
    group: 'Basic',
    help: 'Width,height. SDXL was made for 1024,1024: less trains faster and teaches less detail.',
    default: '1024,1024',
    required: true,
    pattern: /^\s*[1-9]\d{1,4}\s*(,\s*[1-9]\d{1,4}\s*)?$/u,
    patternHelp: 'Max resolution must be width,height in pixels, like 1024,1024.',
  }),
  enable_bucket: toggle({
    label: 'Enable buckets',
    group: 'Basic',
    help: 'Keep the shape of each picture: pictures of like shape are trained together and little is cropped away.',
    default: true,
  }),
  min_bucket_reso: integer({
    label: 'Minimum bucket resolution',
    group: 'Basic',
    help: 'The shortest side a bucket may have.',
    default: 256,
    min: 64,
    max: 4096,
    step: 64,
    unit: 'px',
  }),
  max_bucket_reso: integer({
    label: 'Maximum bucket resolution',
    group: 'Basic',
    help: 'The longest side a bucket may have.',
    default: 2048,
    min: 64,
    max: 4096,
    step: 64,
    unit: 'px',
  }),
  lora_type: choice({
    label: 'LoRA type',
    kohyaKey: 'LoRA_type',
    group: 'Basic',
    help: 'Standard adapts every linear layer of the U-Net’s attention blocks: 722 modules.',
    options: ['Standard'],
    default: 'Standard',
  }),
  network_dim: integer({
    label: 'Network Rank (Dimension)',
    group: 'Basic',
    help: 'How much the LoRA can hold. 16 to 64 is plenty for a person; the file grows with it.',
    default: 32,
    min: 1,
    max: 512,
  }),
  network_alpha: decimal({
    label: 'Network Alpha',
    group: 'Basic',
    help: 'The LoRA acts with alpha divided by rank. Half the rank is the usual choice.',
    default: 16,
    min: 0.00001,
    max: 1024,
  }),
  gradient_checkpointing: toggle({
    label: 'Gradient checkpointing',
    group: 'Advanced',
    help: 'Computes parts twice to need far less memory, at about 40 % more time. Leave it on below 24 GB.',
    default: true,
  }),
  gradient_accumulation_steps: integer({
    label: 'Gradient accumulate steps',
    group: 'Advanced',
    help: 'Adds up this many batches before each step: the effect of a larger batch without its memory.',
    default: 1,
    min: 1,
    max: 120,
  }),
  prior_loss_weight: decimal({
    label: 'Prior loss weight',
    group: 'Advanced',
    help: 'How much the regularisation pictures count against yours.',
    default: 1,
    min: 0,
    max: 10,
  }),
  bucket_no_upscale: toggle({
    label: 'Don’t upscale bucket resolution',
    group: 'Advanced',
    help: 'Small pictures keep their size instead of being enlarged. Minimum and maximum bucket resolution are then not used, as in Kohya.',
    default: true,
  }),
  bucket_reso_steps: integer({
    label: 'Bucket resolution steps',
    group: 'Advanced',
    help: 'Sides of buckets are multiples of this. SDXL needs a multiple of 32.',
    default: 64,
    min: 32,
    max: 128,
    step: 32,
    unit: 'px',
  }),
  sample_every_n_steps: integer({
    label: 'Sample every n steps',
    group: 'Samples',
    help: 'Draw the sample prompts after every nth step. 0 is off. Not used while Sample every n epochs is set.',
    default: 0,
    min: 0,
    max: 10000000,
  }),
  sample_every_n_epochs: integer({
    label: 'Sample every n epochs',
    group: 'Samples',
    help: 'Draw the sample prompts after every nth epoch. 0 is off. As in Kohya it overrides Sample every n steps. The end of the training is always drawn.',
    default: 1,
    min: 0,
    max: 100000,
  }),
  sample_at_first: toggle({
    label: 'Sample at first',
    group: 'Samples',
    help: 'Draw the sample prompts before the first step too, so that you see what the training changes.',
    default: true,
  }),
  sample_sampler: choice({
    label: 'Sample sampler',
    group: 'Samples',
    help: 'How the pictures are drawn. DPM++ 2M Karras is what most people draw SDXL with. A prompt may name another with --ss.',
    options: [
      'dpm++_2m_karras',
      'ddim',
      'pndm',
      'lms',
      'euler',
      'euler_a',
      'heun',
      'dpm_2',
      'dpm_2_a',
      'dpmsolver',
      'dpmsolver++',
      'dpmsingle',
      'k_lms',
      'k_euler',
      'k_euler_a',
      'k_dpm_2',
      'k_dpm_2_a',
    ],
    default: 'dpm++_2m_karras',
    typeName: 'Sampler',
  }),
  sample_prompts: lines({
    label: 'Sample prompts',
    group: 'Samples',
    help: 'One prompt a line; none draws no samples. Lines that begin with # are left out. Kohya’s flags may follow: --n what should not be in the picture, --w width, --h height, --d seed, --s steps (30), --l CFG scale (7.5), --ss sampler. Without --w and --h a picture has the size of Max resolution; without --d each line keeps a seed of its own, so that its pictures can be compared.',
    default: '',
  }),
} as const;

export type ParameterKey = keyof typeof parameters;
export type Parameter = (typeof parameters)[ParameterKey];
export const parameterKeys = Object.keys(parameters) as ParameterKey[];

type Shape = { [K in ParameterKey]: (typeof parameters)[K]['schema'] };
const shape = Object.fromEntries(
  parameterKeys.map((key) => [key, parameters[key].schema]),
) as unknown as Shape;

/** The typed config of one training run: every parameter, by its Kohya key. */
export const trainConfigSchema = z.strictObject(shape).meta({ id: 'TrainConfig' });
export type TrainConfig = z.infer<typeof trainConfigSchema>;

/** Every parameter at its default. Not yet a valid run: the folders are the user's to choose. */
export const defaultTrainConfig = Object.fromEntries(
  parameterKeys.map((key) => [key, parameters[key].default]),
) as TrainConfig;

/** The message of each parameter that cannot be used as it is. */
export function parameterProblems(config: TrainConfig): Partial<Record<ParameterKey, string>> {
  const problems: Partial<Record<ParameterKey, string>> = {};
  for (const key of parameterKeys) {
    const parsed = parameters[key].schema.safeParse(config[key]);
    if (!parsed.success) problems[key] = parsed.error.issues[0]?.message ?? 'Not a valid value.';
  }
  return problems;
}
