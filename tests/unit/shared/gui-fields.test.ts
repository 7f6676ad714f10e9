import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kohyaKeyOf } from '../../../shared/kohya/convert';
import { fieldFates } from '../../../shared/kohya/gui-fields/fates';
import { otherModelFields } from '../../../shared/kohya/gui-fields/other-models';
import { sdxlFields } from '../../../shared/kohya/gui-fields/sdxl';
import { importKohyaJson } from '../../../shared/kohya/import-json';
import { irrelevantKeys, unsupportedKeys } from '../../../shared/kohya/other-keys';
import { ownDefaults } from '../../../shared/kohya/own-defaults';
import { fieldValue } from '../../../shared/kohya/write-fields';
import { defaultTrainConfig, parameterKeys, parameters } from '../../../shared/parameters';

const fields = sdxlFields.map(([key]) => key);
const parameterOf = new Map(parameterKeys.map((key) => [kohyaKeyOf(key), key]));

test('kohya_ss v26.0.0 saves as many fields, each once', () => {
  expect(fields).toHaveLength(183);
  expect(Object.keys(otherModelFields)).toHaveLength(104);
  expect(new Set([...fields, ...Object.keys(otherModelFields)]).size).toBe(287);
});

test('every field is a parameter or has its reason, and never both', () => {
  const places = fields.map((key) => [
    key,
    Number(parameterOf.has(key)) + Number(key in fieldFates),
  ]);
  expect(places.filter(([, count]) => count !== 1)).toEqual([]);
  expect(Object.keys(fieldFates).filter((key) => !fields.includes(key))).toEqual([]);
});

test('a field of another model is none of ours', () => {
  expect(Object.keys(otherModelFields).filter((key) => parameterOf.has(key))).toEqual([]);
  expect(Object.keys(unsupportedKeys).filter((key) => irrelevantKeys.has(key))).toEqual([]);
});

/** Without what is said of it in brackets. */
const plain = (label: string) => label.replaceAll('’', "'").replace(/ \(.*/u, '');

test('parameters have the labels of their fields', () => {
  const others = sdxlFields.flatMap(([key, label]) => {
    const ours = parameterOf.get(key);
    return ours !== undefined && plain(parameters[ours].label) !== plain(label) ? [key] : [];
  });
  expect(others).toEqual([]);
});

test('a default that is another than there has its reason, and no other has one', () => {
  const different = sdxlFields.flatMap(([key, , fresh]) => {
    const ours = parameterOf.get(key);
    return ours !== undefined && fieldValue(ours, defaultTrainConfig) !== fresh ? [key] : [];
  });
  const empty = Object.entries(defaultTrainConfig).flatMap(([key, value]) =>
    value === null && fields.includes(key) ? [key] : [],
  );
  expect(Object.keys(ownDefaults).sort()).toEqual([...different, ...empty].sort());
});

test('the table in docs names every field, in this order', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/parameters.md'), 'utf8');
  const [table = ''] = text.split('## What kohya_ss has no field for');
  const rows = [...table.matchAll(/^\| `(\w+)` \|/gmu)].map(([, key]) => key);
  expect(rows).toEqual(fields);
});

test('no cell breaks its table', () => {
  expect(JSON.stringify([sdxlFields, fieldFates, ownDefaults])).not.toMatch(/\||\\n/u);
});

test('a fresh start of kohya_ss is understood without a word on what it does not ask for', () => {
  const fresh = Object.fromEntries(sdxlFields.map(([key, , value]) => [key, value]));
  const { notes } = importKohyaJson(JSON.stringify({ ...otherModelFields, ...fresh, sdxl: true }));
  expect(notes.filter(({ kind }) => kind !== 'defaulted')).toEqual([]);
});
