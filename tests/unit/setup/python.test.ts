import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findPython, pythonCandidates } from '../../../build/setup/python.mjs';
import { tempFolder } from '../../fakes/temp-folder';

/** A program that answers the question about its version: "major minor hasVenv". */
async function fakePython(folder: string, answer: string): Promise<string[]> {
  const file = join(folder, `python ${answer}.mjs`);
  await writeFile(file, `console.log('${answer}');`);
  return [process.execPath, file];
}

test('the first Python that is new enough is taken', async () => {
  const folder = await tempFolder();
  const old = await fakePython(folder, '3 10 1');
  const good = await fakePython(folder, '3 12 0');
  const better = await fakePython(folder, '3 13 1');
  expect(findPython([['no-such-python'], old, good, better])).toEqual({
    command: good,
    version: [3, 12],
    hasVenv: false,
  });
});

test('a Python that is too old is named, with what to do', async () => {
  const old = await fakePython(await tempFolder(), '3 9 1');
  expect(() => findPython([old])).toThrow(
    expect.objectContaining({
      message: `LoRA Atelier needs Python 3.11 or newer, and ${old.join(' ')} is 3.9.`,
      hint: expect.stringContaining('ATELIER_PYTHON'),
    }),
  );
});

test('no Python at all is said', () => {
  expect(() => findPython([['no-such-python']])).toThrow('and none was found');
});

test('ATELIER_PYTHON is the only candidate when it is set', () => {
  expect(pythonCandidates({ ATELIER_PYTHON: '/some/python' }, 'linux')).toEqual([['/some/python']]);
});

test('Windows asks its launcher first', () => {
  expect(pythonCandidates({}, 'win32')[0]).toEqual(['py', '-3']);
});
