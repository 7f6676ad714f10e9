import { z } from 'zod';
import type { Condition } from './rules';

/** The kinds of rows that the parameter table is made of. */

export type ParameterGroup = 'Model' | 'Folders' | 'Basic' | 'Advanced' | 'Samples' | 'Metadata';

interface Row<D> {
  readonly label: string;
  /** kohya_ss's key, where it is not ours. */
  readonly kohyaKey?: string;
  readonly group: ParameterGroup;
  readonly help: string;
  readonly default: D;
  /** What the SDXL LoRA guides use: the Simple view has it. */
  readonly simple?: true;
  /** All of these must hold for it to count; it always does where they are left out. */
  readonly appliesWhen?: readonly Condition[];
  /** Words that guides use for it and that neither its names nor its help have, for the search. */
  readonly words?: string;
}

/** What every row has, whatever its kind. */
export type ParameterRow = Row<unknown>;

interface NumberRow<D> extends Row<D> {
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly unit?: string;
}

export const integer = <const R extends NumberRow<number>>(row: R) => ({
  ...row,
  kind: 'integer' as const,
  schema: z
    .number({ error: `${row.label} must be a whole number.` })
    .int({ error: `${row.label} must be a whole number.` })
    .min(row.min, { error: `${row.label} must be at least ${row.min}.` })
    .max(row.max, { error: `${row.label} must be at most ${row.max}.` }),
});

const decimalSchema = (row: NumberRow<unknown>) =>
  z
    .number({ error: `${row.label} must be a number.` })
    .min(row.min, { error: `${row.label} must be at least ${row.min}.` })
    .max(row.max, { error: `${row.label} must be at most ${row.max}.` });

export const decimal = <const R extends NumberRow<number>>(row: R) => ({
  ...row,
  kind: 'decimal' as const,
  schema: decimalSchema(row),
});

export const optionalDecimal = <const R extends NumberRow<null>>(row: R) => ({
  ...row,
  kind: 'optionalDecimal' as const,
  schema: decimalSchema(row).nullable(),
});

export const toggle = <const R extends Row<boolean>>(row: R) => ({
  ...row,
  kind: 'toggle' as const,
  schema: z.boolean(),
});

export const choice = <
  const O extends readonly [string, ...string[]],
  const R extends Row<O[number]> & {
    readonly options: O;
    /** Its name in the bridge, where more than the config has it. */
    readonly typeName?: string;
  },
>(
  row: R & { readonly options: O },
) => ({
  ...row,
  kind: 'choice' as const,
  schema:
    row.typeName === undefined
      ? z.enum(row.options)
      : z.enum(row.options).meta({ id: row.typeName }),
});

interface TextRow extends Row<string> {
  readonly required?: boolean;
  readonly pattern?: RegExp;
  readonly patternHelp?: string;
}

const textSchema = (row: TextRow) => {
  let schema = z.string();
  if (row.required) schema = schema.min(1, { error: `${row.label} must not be empty.` });
  if (row.pattern)
    schema = schema.regex(row.pattern, {
      error: row.patternHelp ?? `${row.label} is not in the right form.`,
    });
  return schema;
};

export const text = <const R extends TextRow>(row: R) => ({
  ...row,
  kind: 'text' as const,
  schema: textSchema(row),
});

/** Text of several lines. */
export const lines = <const R extends TextRow>(row: R) => ({
  ...row,
  kind: 'lines' as const,
  schema: textSchema(row),
});

export const folder = <const R extends TextRow>(row: R) => ({
  ...row,
  kind: 'folder' as const,
  schema: textSchema(row),
});

export const modelPath = <const R extends TextRow & { readonly suggestions: readonly string[] }>(
  row: R,
) => ({
  ...row,
  kind: 'model' as const,
  schema: textSchema(row),
});

/** One file of the given kinds. */
export const file = <const R extends TextRow & { readonly extensions: readonly string[] }>(
  row: R,
) => ({
  ...row,
  kind: 'file' as const,
  schema: textSchema(row),
});

/** One of the names, or any other that the bridge understands. */
export const openChoice = <const R extends TextRow & { readonly options: readonly string[] }>(
  row: R,
) => ({
  ...row,
  kind: 'openChoice' as const,
  schema: textSchema(row),
});
