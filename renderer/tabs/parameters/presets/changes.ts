import {
  parameters,
  parameterSections,
  type Parameter,
  type TrainConfig,
} from '../../../../shared/parameters';
import { changedBy, type PresetKey, type PresetValues } from '../../../../shared/preset-values';
import type { DraftValue } from '../../../../shared/settings';

/** What a preset would change, as it is shown before it is applied. */

export interface Change {
  readonly key: PresetKey;
  readonly label: string;
  readonly now: string;
  readonly then: string;
}

export interface ChangeGroup {
  readonly title: string;
  readonly changes: readonly Change[];
}

/** On, off, empty, or the value with its unit. */
export function valueText(key: PresetKey, value: DraftValue): string {
  if (value === null || value === '') return 'empty';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  const parameter: Parameter = parameters[key];
  return 'unit' in parameter ? `${value} ${parameter.unit}` : String(value);
}

/** The heading in the tab under which the parameter stands. */
const titleOf = (key: PresetKey): string =>
  parameterSections.find((section) => section.keys.has(key))?.title ?? parameters[key].group;

export function groupedChanges(values: PresetValues, config: TrainConfig): readonly ChangeGroup[] {
  const groups = new Map<string, Change[]>();
  for (const key of changedBy(values, config)) {
    const change: Change = {
      key,
      label: parameters[key].label,
      now: valueText(key, config[key]),
      then: valueText(key, values[key] ?? null),
    };
    const title = titleOf(key);
    groups.set(title, [...(groups.get(title) ?? []), change]);
  }
  return [...groups].map(([title, changes]) => ({ title, changes }));
}
