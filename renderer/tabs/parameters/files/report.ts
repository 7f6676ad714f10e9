import type { OpenedConfig } from '../../../../shared/contract';
import { kohyaKeyOf } from '../../../../shared/kohya/convert';
import type { ImportNote } from '../../../../shared/kohya/notes';
import { parameterKeys, parameters } from '../../../../shared/parameters';

/** One kind of what became of a file's values. */
export interface Part {
  readonly kind: 'taken' | ImportNote['kind'];
  readonly title: string;
  readonly about: string;
  readonly lines: readonly Line[];
}

export interface Line {
  /** What it is about: a field's label, or a key that has none. */
  readonly name: string;
  readonly text: string;
}

const titles: Record<ImportNote['kind'], { readonly title: string; readonly about: string }> = {
  changed: { title: 'Changed', about: 'Taken, but not as the file has it.' },
  unsupported: { title: 'Not supported', about: 'The file asks for it, and it has no effect.' },
  unknown: { title: 'Not known', about: 'No key of kohya_ss or sd-scripts: it has no effect.' },
  defaulted: { title: 'Not in the file', about: 'What is used in its place.' },
};

const kinds = ['changed', 'unsupported', 'unknown', 'defaulted'] as const;

const labels: ReadonlyMap<string, string> = new Map(
  parameterKeys.flatMap((key) => [
    [key, parameters[key].label],
    [kohyaKeyOf(key), parameters[key].label],
  ]),
);

const nameOf = (key: string): string => labels.get(key) ?? key;

function spoken(value: string | number | boolean | null): string {
  if (value === null || value === '') return 'empty';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value);
}

/** What became of a file, what needs a look first; kinds of which there is nothing are left out. */
export function partsOf({ config, taken, notes }: OpenedConfig): Part[] {
  const told = kinds.map((kind) => ({
    kind,
    ...titles[kind],
    lines: notes
      .filter((note) => note.kind === kind)
      .map(({ key, message }) => ({ name: nameOf(key), text: message })),
  }));
  const asItIs: Part = {
    kind: 'taken',
    title: 'Taken',
    about: 'As the file has it.',
    lines: taken.map((key) => ({ name: parameters[key].label, text: spoken(config[key]) })),
  };
  const missing = told.filter(({ kind }) => kind === 'defaulted');
  const seen = told.filter(({ kind }) => kind !== 'defaulted');
  return [...seen, asItIs, ...missing].filter(({ lines }) => lines.length > 0);
}
