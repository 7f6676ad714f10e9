import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parameterKeys } from '../../../shared/parameters';
import { processParameters } from '../../../shared/parameters/processes';
import {
  differences,
  trainerAsserts,
  trainerOptions,
  type Fate,
} from '../../../shared/kohya/trainer-options';

const root = join(import.meta.dirname, '../../..');
const bridge = join(root, 'python-bridge/lora_bridge');

/** The names as sd-scripts v0.10.1 has them, section by section. */
const names = JSON.parse(
  readFileSync(join(root, 'tests/fixtures/kohya/trainer-options.json'), 'utf8'),
) as Readonly<Record<string, readonly string[]>>;

const fates = trainerOptions.flatMap(({ options }): [string, Fate][] => Object.entries(options));
const doneOnes = fates.flatMap(([name, fate]) => (fate.kind === 'done' ? [{ name, ...fate }] : []));

const isMetadata = (file: string) => /^metadata.*\.py$/u.test(file);
const textOf = (wanted: (file: string) => boolean) =>
  readdirSync(bridge)
    .filter((file) => file.endsWith('.py') && wanted(file))
    .map((file) => readFileSync(join(bridge, file), 'utf8'))
    .join('\n');

/** What the trainer itself reads: neither the generated types nor what is only written into the file. */
const trainer = textOf((file) => file !== 'protocol_types.py' && !isMetadata(file));
const metadata = textOf(isMetadata);

/** Of `accelerate launch`, whose options are no options of sd-scripts. */
const launching = Object.keys(processParameters).filter((key) => key !== 'ddp_timeout');

const reads = (text: string, key: string) => new RegExp(`config\\.${key}\\b`, 'u').test(text);

test('every option is there, once, in its section', () => {
  const told = trainerOptions.map(({ title, options }) => [title, Object.keys(options).sort()]);
  expect(told).toEqual(
    Object.entries(names).map(([title, options]) => [title, [...options].sort()]),
  );
  expect(new Set(fates.map(([name]) => name)).size).toBe(fates.length);
});

test('what is done is done by parameters that the trainer reads', () => {
  const keys = doneOnes.flatMap(({ by }) => by);
  const isWritten = (key: string) => /^metadata_|^(training_comment|no_metadata)$/u.test(key);
  const unread = keys.filter((key) =>
    isWritten(key) ? !metadata.includes(key) : !reads(trainer, key),
  );
  expect(unread).toEqual([]);
  expect(doneOnes.filter(({ by }) => by.length === 0)).toEqual([]);
});

test('every parameter that stands for an option of sd-scripts is named', () => {
  const named = new Set<string>(doneOnes.flatMap(({ by }) => by));
  const ours = ['lora_type', 'broken_images', 'kohya_exact', 'logging_dir'];
  const ourStates = ['use_ema', 'ema_decay', 'save_state_every_n_minutes'];
  expect(parameterKeys.filter((key) => !named.has(key)).sort()).toEqual(
    [...ours, ...ourStates, ...launching].sort(),
  );
});

test.each([...new Set([...doneOnes, ...trainerAsserts, ...differences].map((each) => each.test))])(
  'there is a test %s',
  (test) => {
    const [file = '', name = ''] = test.split('::');
    const text = readFileSync(join(root, 'python-bridge/tests', file), 'utf8');
    expect(text).toMatch(new RegExp(`^def ${name}\\(`, 'mu'));
  },
);

test('no cell breaks its table', () => {
  const texts = JSON.stringify([trainerOptions, trainerAsserts, differences]);
  expect(texts).not.toMatch(/\||\\n/u);
});
