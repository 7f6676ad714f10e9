import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parameters } from '../../../shared/parameters';

const bridge = join(import.meta.dirname, '../../../python-bridge/lora_bridge');
const module = readFileSync(join(bridge, 'metadata_config.py'), 'utf8');
/** The keys of both lists: whole places, and names that may be one. */
const places = [...module.matchAll(/^_(?:PLACES|MODELS) = \(([^)]*)\)/gmu)].flatMap(
  ([, block = '']) => [...block.matchAll(/"(\w+)"/gu)].map(([, key]) => key),
);

test('every file and folder of the config is known as a place, so that no LoRA tells where it lies', () => {
  const kinds = ['file', 'folder', 'model'];
  const keys = Object.entries(parameters).flatMap(([key, { kind }]) =>
    kinds.includes(kind) ? [key] : [],
  );
  expect(keys.filter((key) => !places.includes(key))).toEqual([]);
  // Lines of files, and a name that may be a file.
  expect(places).toContain('base_weights');
  expect(places).toContain('lycoris_preset');
});
