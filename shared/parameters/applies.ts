import { parameters, type ParameterKey, type TrainConfig } from '../parameters';
import type { ParameterRow } from './rows';
import { obstacle } from './rules';

/** A value in a word or two, as it stands in a sentence. */
export function spoken(value: string | number | boolean | null): string {
  if (value === null || value === '') return 'empty';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value);
}

/** Why a parameter does not count as the others are now, in a sentence; null where it does. */
export function whyUnused(key: ParameterKey, config: TrainConfig): string | null {
  const row: ParameterRow = parameters[key];
  for (const condition of row.appliesWhen ?? []) {
    const other = obstacle(condition, config) as ParameterKey | null;
    if (other === null) continue;
    const { label } = parameters[other];
    const value = spoken(config[other]);
    // A path or a list of prompts is too long for the sentence.
    const state = typeof config[other] === 'string' && value.length > 24 ? 'set' : value;
    return `Not used while ${label} is ${state}.`;
  }
  return null;
}

/** Whether it is a field of LoRA types other than the one that is chosen. */
export function isOfOtherType(key: ParameterKey, config: TrainConfig): boolean {
  const row: ParameterRow = parameters[key];
  return (row.appliesWhen ?? []).some(
    (condition) => 'hides' in condition && obstacle(condition, config) !== null,
  );
}
