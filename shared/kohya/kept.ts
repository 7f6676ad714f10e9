import { z } from 'zod';
import { parameterKeys, parameters, type TrainConfig } from '../parameters';
import type { Raw } from './legacy';

/**
 * What the trainer's own format has no word for. It is kept beside it, under a key that kohya_ss and sd-scripts do not
 * look at, and counts as long as the rest of the file says what it would have said with it: whoever edits the file by
 * hand is believed.
 */
export const KEPT = 'lora_atelier';

type Kept = Partial<TrainConfig>;

/** The values that would not come back, as they stand in a file: in a table of their own, since sd-scripts opens one. */
export const keep = (config: TrainConfig, comesBack: TrainConfig) => ({
  [KEPT]: {
    instead: Object.fromEntries(
      parameterKeys
        .filter((key) => config[key] !== comesBack[key])
        .map((key) => [key, config[key]]),
    ),
  },
});

const keptSchema = z.object({
  [KEPT]: z.object({ instead: z.record(z.string(), z.unknown()) }),
});

/** The values that a file of ours keeps; null when it is none. What no parameter can be is left out. */
export function keptIn(raw: Raw): Kept | null {
  const parsed = keptSchema.safeParse(raw);
  if (!parsed.success) return null;
  return Object.fromEntries(
    parameterKeys
      .map(
        (key) => [key, parameters[key].schema.safeParse(parsed.data[KEPT].instead[key])] as const,
      )
      .flatMap(([key, { success, data }]) => (success ? [[key, data]] : [])),
  );
}

/**
 * @param config what the file says without them
 * @param said the file's own keys with their values
 * @param write what such a file says for a config
 */
export function restore(
  config: TrainConfig,
  kept: Kept,
  said: Raw,
  write: (config: TrainConfig) => Raw,
): TrainConfig {
  const whole = { ...config, ...kept };
  const { [KEPT]: _, ...file } = said;
  if (isSame(write(whole), file)) return whole;
  // It was edited since: a value counts where the file says nothing else.
  return Object.entries(kept).reduce<TrainConfig>((before, [key, value]) => {
    const after = { ...before, [key]: value };
    return isSame(write(after), write(before)) ? after : before;
  }, config);
}

const isSame = (a: Raw, b: Raw): boolean => canonical(a) === canonical(b);

const canonical = (raw: Raw): string =>
  JSON.stringify(Object.entries(raw).sort(([a], [b]) => (a < b ? -1 : 1)));
