/** When a parameter counts: conditions on other parameters, as data. */

type Value = string | number | boolean | null;

/** `key` is of the table; a test holds it to that, since the table is made of these. */
export type Condition =
  | { readonly key: string; readonly is: readonly Value[]; readonly hides?: true }
  | { readonly key: string; readonly isNot: readonly Value[] }
  | { readonly key: string; readonly above: number }
  | { readonly either: readonly Condition[] };

export const is = (key: string, ...values: readonly Value[]): Condition => ({ key, is: values });
export const isNot = (key: string, ...values: readonly Value[]): Condition => ({
  key,
  isNot: values,
});
export const isSet = (key: string): Condition => isNot(key, '');
export const isAbove = (key: string, above: number): Condition => ({ key, above });
export const either = (...conditions: readonly Condition[]): Condition => ({ either: conditions });

/** For the fields of some LoRA types: they are not even shown for the others, as in Kohya. */
export const forTypes = (types: readonly string[]): Condition => ({
  key: 'lora_type',
  is: types,
  hides: true,
});

type Values = Readonly<Record<string, unknown>>;

/** The key whose value keeps the condition from holding; null where it holds. Of `either`, the first. */
export function obstacle(condition: Condition, values: Values): string | null {
  if ('either' in condition) {
    const obstacles = condition.either.map((each) => obstacle(each, values));
    return obstacles.includes(null) ? null : (obstacles[0] ?? null);
  }
  const value = values[condition.key];
  if ('above' in condition)
    return typeof value === 'number' && value > condition.above ? null : condition.key;
  if ('is' in condition) return includes(condition.is, value) ? null : condition.key;
  return includes(condition.isNot, value) ? condition.key : null;
}

const includes = (values: readonly unknown[], value: unknown): boolean => values.includes(value);
