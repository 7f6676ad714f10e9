import type { JobView, SavedState } from '../../../shared/job-view';
import { formatBytes, formatCount, formatQuantity, formatWhen } from '../../format';

const savedAt = ({ time }: SavedState): string => formatWhen(new Date(time * 1000).toISOString());

/** `State of step 120, 98.0 MB, saved 24 Nov, 08:40.` */
export function stateText(state: SavedState): string {
  const size = state.bytes === null ? [] : [formatBytes(state.bytes)];
  return `${[`State of step ${formatCount(state.step)}`, ...size, `saved ${savedAt(state)}`].join(', ')}.`;
}

/** From where a run that ended early can go on, and what of it has to be done again. */
export function afterwards({ state, lastStep }: Pick<JobView, 'state' | 'lastStep'>): string {
  if (state === null) return 'No state was saved yet: it would begin again from the first step.';
  const again = Math.max(0, (lastStep?.step ?? 0) - state.step);
  const lost = again === 0 ? '' : ` ${formatQuantity(again, 'step')} after it will be done again.`;
  return `It can go on from step ${formatCount(state.step)}. ${stateText(state)}${lost}`;
}
