import {
  defaultTrainConfig,
  parameterKeys,
  type ParameterKey,
  type TrainConfig,
} from '../parameters';
import { convert, kohyaKeyOf } from './convert';
import type { Raw } from './legacy';
import type { ImportNote } from './notes';

/** The key under which a parameter stands in a file; null when it is not there. */
export const fileKeyOf = (raw: Raw, key: ParameterKey): string | null =>
  [kohyaKeyOf(key), key].find((candidate) => candidate in raw) ?? null;

/**
 * The parameters that a file has over our defaults. What had to be changed is added to `notes`, what is missing too.
 *
 * @throws ProblemError `bad_value`
 */
export function takeParameters(raw: Raw, notes: ImportNote[]): TrainConfig {
  const config: Record<string, unknown> = { ...defaultTrainConfig };
  for (const key of parameterKeys) {
    const fileKey = fileKeyOf(raw, key);
    if (fileKey === null) {
      notes.push(defaulted(key, defaultTrainConfig[key]));
      continue;
    }
    const { value, change } = convert(key, raw[fileKey]);
    config[key] = value;
    if (change !== null) notes.push({ kind: 'changed', key: fileKey, message: change });
  }
  return config as TrainConfig;
}

export const defaulted = (key: ParameterKey, value: unknown): ImportNote => ({
  kind: 'defaulted',
  key: kohyaKeyOf(key),
  message: `${kohyaKeyOf(key)} is not in the file: ${JSON.stringify(value)} is used.`,
});

/** The parameters that nothing is to be said of. */
export function untouched(notes: readonly ImportNote[]): ParameterKey[] {
  const told = new Set(notes.map(({ key }) => key));
  return parameterKeys.filter((key) => !told.has(key) && !told.has(kohyaKeyOf(key)));
}
