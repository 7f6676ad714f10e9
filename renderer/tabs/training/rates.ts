import type { EventOf } from '../../../shared/protocol';
import { formatRate } from '../../format';

type Rate = EventOf<'step'>['rates'][number];

/** Kohya's names as people call them. */
const names: readonly (readonly [RegExp, string])[] = [
  [/^textencoder1?$/u, 'text encoder 1'],
  [/^textencoder2$/u, 'text encoder 2'],
  [/^text_?encoders?$/u, 'text encoders'],
  [/^unet/u, 'U-Net'],
];

const nameOf = (name: string): string => names.find(([form]) => form.test(name))?.[1] ?? name;

const textOf = ({ name, value }: Rate): string => `${nameOf(name)} ${formatRate(value)}`;

/**
 * The rates beside the first, for under its tile: nothing where all are the same, the next one, and how many more there
 * are. `all` names each.
 */
export function rateDetail(
  rates: readonly Rate[],
): { readonly short: string; readonly all: string } | null {
  const [first, ...others] = rates;
  const different = others.filter(({ value }) => value !== first?.value);
  const [next, ...more] = different;
  if (next === undefined) return null;
  return {
    short: more.length === 0 ? textOf(next) : `${textOf(next)}, ${more.length} more`,
    all: rates.map(textOf).join('\n'),
  };
}
