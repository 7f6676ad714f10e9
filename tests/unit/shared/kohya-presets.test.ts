import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importKohyaJson } from '../../../shared/kohya/import-json';
import { parameterProblems } from '../../../shared/parameters';

/** What differs between the 18 SDXL presets that kohya_ss ships, and what is the same in most. */
const { common, presets } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/kohya/sdxl-presets.json'), 'utf8'),
) as {
  readonly common: Readonly<Record<string, unknown>>;
  readonly presets: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

test('there are 18', () => {
  expect(Object.keys(presets)).toHaveLength(18);
});

test.each(Object.entries(presets))('%s is understood whole', (name, values) => {
  const { config, notes } = importKohyaJson(JSON.stringify({ ...common, ...values }), name);
  expect(notes.filter(({ kind }) => kind === 'unsupported' || kind === 'unknown')).toEqual([]);
  const problems = Object.keys(parameterProblems(config));
  // A preset has no folders: they are the user's.
  expect(problems.sort()).toEqual(['logging_dir', 'output_dir', 'train_data_dir']);
});
