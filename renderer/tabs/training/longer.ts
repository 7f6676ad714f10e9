import { trainConfigSchema, type TrainConfig } from '../../../shared/parameters';
import type { DraftValue } from '../../../shared/settings';
import { formatCount, formatDuration, formatQuantity } from '../../format';

/** How long a run is to be, in the parameter that says it. */
export interface Length {
  readonly by: 'epoch' | 'max_train_steps';
  /** As typed. */
  readonly count: Exclude<DraftValue, boolean>;
}

/** Half as long again, in what the run's own length was given in unless the other is asked for. */
export function lengthOf(config: TrainConfig, totalSteps: number, by?: Length['by']): Length {
  const chosen = by ?? (config.max_train_steps > 0 ? 'max_train_steps' : 'epoch');
  const before = chosen === 'epoch' ? config.epoch : totalSteps;
  return { by: chosen, count: before + Math.ceil(before / 2) };
}

/** The config that goes on from the newest state of the run in `folder`; null while the length is no number that can be used. */
export function longerConfig(
  config: TrainConfig,
  { by, count }: Length,
  folder: string,
): TrainConfig | null {
  if (typeof count !== 'number' || count < 1) return null;
  // Max train steps counts before Epoch.
  const length = by === 'epoch' ? { epoch: count, max_train_steps: 0 } : { max_train_steps: count };
  const parsed = trainConfigSchema.safeParse({ ...config, ...length, resume: folder });
  return parsed.success ? parsed.data : null;
}

/**
 * What a run of `total` steps that goes on from `step` has left to do.
 *
 * @param total undefined while it is worked out
 */
export function outlook(
  step: number,
  total: number | undefined,
  secondsPerStep: number,
): { readonly text: string; readonly enough: boolean } {
  if (total === undefined) return { text: 'Working it out…', enough: false };
  const more = total - step;
  if (more <= 0)
    return {
      text: `That is ${formatQuantity(total, 'step')}, and ${formatCount(step)} are done.`,
      enough: false,
    };
  const time = secondsPerStep > 0 ? `, about ${formatDuration(more * secondsPerStep)}` : '';
  return {
    text: `Goes on after step ${formatCount(step)} to step ${formatCount(total)}: ${formatQuantity(more, 'more step', 'more steps')}${time}. The learning rate follows its schedule over the whole length.`,
    enough: true,
  };
}
