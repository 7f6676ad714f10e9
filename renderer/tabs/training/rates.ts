import type { EventOf } from '../../../shared/protocol';
import { formatRate } from '../../format';

type Rate = EventOf<'step'>['rates'][number];

/** Kohya's names as people call them, short enough for a tile. */
const nameOf = (name: string): string =>
  name.replace(/^textencoder[ _]?/u, 'TE').replace(/^unet/u, 'U-Net');

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
