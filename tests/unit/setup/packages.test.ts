import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkSha256 } from '../../../build/setup/electron.mjs';
import { packagesMatch } from '../../../build/setup/npm.mjs';
import { tempFolder } from '../../fakes/temp-folder';

type Packages = Record<string, { version: string; optional?: boolean }>;

async function checkout(locked: Packages, installed: Packages | null) {
  const root = await tempFolder();
  const lock = { packages: { '': { version: '0.1.0' }, ...locked } };
  await writeFile(join(root, 'package-lock.json'), JSON.stringify(lock));
  if (installed !== null) {
    await mkdir(join(root, 'node_modules'));
    const record = join(root, 'node_modules', '.package-lock.json');
    await writeFile(record, JSON.stringify({ packages: installed }));
  }
  return root;
}

const zod = { 'node_modules/zod': { version: '4.6.7' } };
const foreign = { 'node_modules/only-windows': { version: '1.0.0', optional: true } };

test('packages match when each has the version of the lock file', async () => {
  expect(packagesMatch(await checkout(zod, zod))).toBe(true);
});

test('what is optional may be missing, but not of another version', async () => {
  expect(packagesMatch(await checkout({ ...zod, ...foreign }, zod))).toBe(true);
  const other = { 'node_modules/only-windows': { version: '0.9.0' } };
  expect(packagesMatch(await checkout({ ...zod, ...foreign }, { ...zod, ...other }))).toBe(false);
});

test.each([null, {}, { 'node_modules/zod': { version: '4.6.6' } }])(
  'packages do not match: %j',
  async (installed) => {
    expect(packagesMatch(await checkout(zod, installed))).toBe(false);
  },
);

test('a download with another hash is not used', async () => {
  const file = join(await tempFolder(), 'runtime.whl');
  await writeFile(file, 'hello');
  const hello = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
  await expect(checkSha256(file, hello)).resolves.toBeUndefined();
  await expect(checkSha256(file, hello.replace('2', '3'))).rejects.toThrow(
    `is not the file that was expected (its SHA-256 is ${hello})`,
  );
});
