import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hashOf, isStamped, stamp } from '../../../build/setup/stamp.mjs';
import { tempFolder } from '../../fakes/temp-folder';

async function sources() {
  const root = await tempFolder();
  await mkdir(join(root, 'source', 'inner'), { recursive: true });
  await writeFile(join(root, 'source', 'inner', 'a.txt'), 'one');
  return root;
}

test('a stage is done only with the inputs that it was stamped with', async () => {
  const root = await sources();
  const file = join(root, 'stamps', 'stage');
  expect(isStamped(file, 'key')).toBe(false);
  stamp(file, 'key');
  expect(isStamped(file, 'key')).toBe(true);
  expect(isStamped(file, 'other key')).toBe(false);
});

test('the hash sees contents, names and settings', async () => {
  const root = await sources();
  const before = hashOf(root, ['source'], ['setting']);
  expect(hashOf(root, ['source'], ['setting'])).toBe(before);
  expect(hashOf(root, ['source'], ['other'])).not.toBe(before);
  await writeFile(join(root, 'source', 'inner', 'a.txt'), 'two');
  expect(hashOf(root, ['source'], ['setting'])).not.toBe(before);
  await writeFile(join(root, 'source', 'inner', 'a.txt'), 'one');
  await writeFile(join(root, 'source', 'b.txt'), '');
  expect(hashOf(root, ['source'], ['setting'])).not.toBe(before);
});

test('a source that is not there changes the hash when it comes', async () => {
  const root = await sources();
  const before = hashOf(root, ['source', 'later']);
  await writeFile(join(root, 'later'), 'x');
  expect(hashOf(root, ['source', 'later'])).not.toBe(before);
});
