import { isOfOtherType } from '../../../shared/parameters/applies';
import {
  parameters,
  type ParameterKey,
  type ParameterRow,
  type TrainConfig,
} from '../../../shared/parameters';

/** What the tab is looking at. */
export interface View {
  /** All of them, or the simple ones. */
  readonly all: boolean;
  /** While something is searched for, what was found. */
  readonly hits: ReadonlySet<ParameterKey> | null;
  /** Those that were jumped to or typed in: they do not go away under one's hands. */
  readonly kept: ReadonlySet<ParameterKey>;
}

export const isChanged = (key: ParameterKey, config: TrainConfig): boolean =>
  config[key] !== parameters[key].default;

/**
 * Whether a field is shown. Nothing that was set is out of sight, except while something else is searched for: a search
 * finds what it finds, of every LoRA type too.
 */
export function isShown(key: ParameterKey, config: TrainConfig, view: View): boolean {
  if (view.kept.has(key)) return true;
  if (view.hits !== null) return view.hits.has(key);
  if (isChanged(key, config)) return true;
  const row: ParameterRow = parameters[key];
  return (view.all || row.simple === true) && !isOfOtherType(key, config);
}
