import { makeFolderName } from './folder-name';

/** Kohya's dataset balancing: repeats that give every concept about as many steps an epoch, at batch size 1. */

/**
 * kohya_ss's rule: the target divided by the images, rounded, at least 1; 0 for a folder without images.
 *
 * @param multiplier of a name that begins with `{1.5}`: that concept gets so many times the steps
 */
export const balancedRepeats = (images: number, steps: number, multiplier = 1): number =>
  images === 0 ? 0 : Math.max(1, Math.round((steps * multiplier) / images));

export interface BalanceName {
  /** Null where the name begins with no number. */
  readonly repeats: number | null;
  /** What stays of the name. */
  readonly rest: string;
  readonly multiplier: number;
}

/** Reads `20_name`, `{1.5}20_name` and `{1.5}name`; null for a folder that is not to be balanced. */
export function parseBalanceName(name: string): BalanceName | null {
  const [, multiplier, repeats, rest] =
    /^(?:\{(\d+(?:\.\d+)?)\})?(?:(\d+)_)?(.+)$/u.exec(name) ?? [];
  if (rest === undefined || (multiplier === undefined && repeats === undefined)) return null;
  if (multiplier !== undefined && Number(multiplier) === 0) return null;
  return {
    repeats: repeats === undefined ? null : Number(repeats),
    rest,
    multiplier: multiplier === undefined ? 1 : Number(multiplier),
  };
}

export const balancedName = (repeats: number, { rest }: BalanceName): string =>
  makeFolderName({ repeats, prompt: rest });
