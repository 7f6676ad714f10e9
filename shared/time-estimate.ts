import { z } from 'zod';
import { parameters, trainConfigSchema, type ParameterKey, type TrainConfig } from './parameters';
import type { Plan } from './protocol';

/** How long a run will take, told from how fast earlier ones were. Nothing is guessed: no like run, no estimate. */

/** What must be the same for the speed of one run to say anything of another. */
const decisive = [
  'pretrained_model_name_or_path',
  'mixed_precision',
  'quantize_base_model',
  'num_processes',
  'num_machines',
] as const satisfies readonly ParameterKey[];

/** What the speed is scaled by. */
const scaled = [
  'train_batch_size',
  'gradient_accumulation_steps',
  'gradient_checkpointing',
  'checkpointing_method',
] as const satisfies readonly ParameterKey[];

/** What changes the speed by an amount that nobody can tell beforehand. */
const untold = [
  'lora_type',
  'network_dim',
  'optimizer',
  'full_bf16',
  'cache_latents',
  'cache_text_encoder_outputs',
] as const satisfies readonly ParameterKey[];

/** How fast a run was, and what made it so. */
export const runSpeedSchema = z.strictObject({
  name: z.string(),
  /** ISO 8601. */
  createdAt: z.string(),
  /** The name of the device that it ran on. */
  device: z.string(),
  secondsPerStep: z.number().positive(),
  /** Of its pictures as they were shown, on the average. */
  pixels: z.number().positive(),
  trainsText: z.boolean(),
  config: trainConfigSchema.pick(
    Object.fromEntries([...decisive, ...scaled, ...untold].map((key) => [key, true])) as Record<
      SpeedKey,
      true
    >,
  ),
});
export type RunSpeed = z.infer<typeof runSpeedSchema>;
type SpeedKey = (typeof decisive | typeof scaled | typeof untold)[number];

export interface TimeEstimate {
  readonly seconds: number;
  readonly secondsPerStep: number;
  /** The run that was measured. */
  readonly run: RunSpeed;
  /** What differs and is reckoned with, a few words each. */
  readonly scaledBy: readonly string[];
  /** Labels of what differs and is not reckoned with. */
  readonly notReckoned: readonly string[];
}

/** A step of frozen weights is a forward and a backward pass; full checkpointing adds most of a forward pass. */
const checkpointingCost = { none: 1, selective: 1.1, full: 1.4 } as const;

const methodOf = (config: RunSpeed['config']) =>
  config.gradient_checkpointing ? config.checkpointing_method : 'none';

const trainsText = ({ text_encoder_lr, text_encoder2_lr }: TrainConfig): boolean =>
  text_encoder_lr > 0 || (text_encoder2_lr ?? 0) > 0;

/** Pixels of a run's pictures as they are shown, on the average; 0 for a plan without any. */
export function meanPixels({ buckets }: Pick<Plan, 'buckets'>): number {
  const shown = buckets.reduce((sum, { count }) => sum + count, 0);
  const pixels = buckets.reduce(
    (sum, { resolution: [width, height], count }) => sum + width * height * count,
    0,
  );
  return shown === 0 ? 0 : pixels / shown;
}

/** What is kept of a run's config for later estimates. */
export const speedOf = (
  config: TrainConfig,
  run: Omit<RunSpeed, 'config' | 'trainsText'>,
): RunSpeed => ({
  ...run,
  trainsText: trainsText(config),
  config: runSpeedSchema.shape.config.strip().parse(config),
});

/**
 * By the run that is most like this one, of those on the device of the newest; null where there is none.
 *
 * @param runs newest first
 */
export function estimateTime(
  config: TrainConfig,
  plan: Plan,
  runs: readonly RunSpeed[],
): TimeEstimate | null {
  const device = runs[0]?.device;
  const like = runs
    .filter(
      (run) => run.device === device && decisive.every((key) => same(run.config, config, key)),
    )
    .map((run) => compared(run, config, plan))
    .sort((a, b) => differences(a) - differences(b));
  return like[0] ?? null;
}

const same = (a: RunSpeed['config'], b: TrainConfig, key: SpeedKey): boolean => a[key] === b[key];

const differences = ({ scaledBy, notReckoned }: TimeEstimate): number =>
  scaledBy.length + 2 * notReckoned.length;

function compared(run: RunSpeed, config: TrainConfig, plan: Plan): TimeEstimate {
  const scaledBy: string[] = [];
  const factor = (words: string, before: number, now: number): number => {
    if (before === now) return 1;
    scaledBy.push(words);
    return now / before;
  };
  const { config: before } = run;
  const pixels = meanPixels(plan);
  const secondsPerStep =
    run.secondsPerStep *
    factor(
      `batch ${before.train_batch_size} → ${config.train_batch_size}`,
      before.train_batch_size,
      config.train_batch_size,
    ) *
    factor(
      `accumulation ${before.gradient_accumulation_steps} → ${config.gradient_accumulation_steps}`,
      before.gradient_accumulation_steps,
      config.gradient_accumulation_steps,
    ) *
    factor(
      `checkpointing ${methodOf(before)} → ${methodOf(config)}`,
      checkpointingCost[methodOf(before)],
      checkpointingCost[methodOf(config)],
    ) *
    (isAlike(run.pixels, pixels) ? 1 : factor('picture size', run.pixels, pixels));
  const notReckoned: string[] = untold
    .filter((key) => !same(before, config, key))
    .map((key) => parameters[key].label);
  if (run.trainsText !== trainsText(config)) notReckoned.push('Text encoder training');
  return {
    seconds: secondsPerStep * plan.totalSteps,
    secondsPerStep,
    run,
    scaledBy,
    notReckoned,
  };
}

/** A few pictures more or less change the average a little, which is no matter. */
const isAlike = (a: number, b: number): boolean => Math.abs(a - b) < 0.02 * a;
