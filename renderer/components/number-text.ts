/** Between a number and the text that is typed for it. */

/** Null for nothing, a number where it is one, else the text itself so that the schema can refuse it. */
export function parseTyped(text: string): number | string | null {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  const value = Number(trimmed.replace(',', '.'));
  return Number.isFinite(value) ? value : text;
}

export const formatTyped = (value: number | string | null): string =>
  value === null ? '' : String(value);

interface Range {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** One step up or down from what is there, within the range, without the tails of binary fractions. */
export function stepTyped(
  value: number | string | null,
  step: number,
  { min, max }: Range,
): number {
  const from = typeof value === 'number' ? value : (min ?? 0);
  const next = Number((from + step).toPrecision(12));
  return Math.min(Math.max(next, min ?? -Infinity), max ?? Infinity);
}
