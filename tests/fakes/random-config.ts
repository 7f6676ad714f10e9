import { z } from 'zod';
import {
  defaultTrainConfig,
  parameterKeys,
  parameters,
  type Parameter,
  type TrainConfig,
} from '../../shared/parameters';
import type { DraftValue } from '../../shared/settings';

/** Draws numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const texts = [
  '',
  'a',
  ' spaced out ',
  '|||',
  ';',
  '1e-5 2,3=x',
  'k=v betas=0.9,0.99',
  `say "cheese" and 'wine'`,
  String.raw`C:\photos\nova`,
  String.raw`\\server\share`,
  '/home/ada/it is here',
  'Größe 写真 🙂',
  'one\ntwo',
  '# no comment',
  '--seed 3',
];

/** A value that the parameter accepts: often one at the edge of what it means. */
export function randomValue(row: Parameter, random: () => number): DraftValue {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  switch (row.kind) {
    case 'integer':
      return pick([
        row.default,
        row.min,
        row.max,
        Math.max(row.min, 0),
        Math.round(row.min + random() * Math.min(99, row.max - row.min)),
      ]);
    case 'decimal':
    case 'optionalDecimal':
      return pick([
        row.default,
        row.min,
        row.max,
        Math.max(row.min, 0),
        Number((row.min + random() * (row.max - row.min)).toPrecision(3)),
      ]);
    case 'toggle':
      return random() < 0.5;
    case 'choice':
    case 'openChoice':
      return pick<string>(row.options);
    case 'text':
    case 'lines':
    case 'folder':
    case 'file':
    case 'model': {
      const fitting = texts.filter((text) => z.safeParse(row.schema, text).success);
      return pick<string>([row.default, ...fitting]);
    }
  }
}

/** A config in which about every third parameter is not at its default. */
export function randomConfig(random: () => number): TrainConfig {
  const changed = parameterKeys
    .filter(() => random() < 0.33)
    .map((key) => [key, randomValue(parameters[key], random)] as const);
  return { ...defaultTrainConfig, ...Object.fromEntries(changed) };
}
