import { rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sortDropped } from '../../../electron/services/dropped';
import { emptyConcept } from '../../../shared/dataset-form';
import { readAll, setUpPreparation, withConcept, writeAll } from '../../fakes/preparation';

async function twoConcepts() {
  const made = await setUpPreparation({ 'a.jpg': 'A', 'a.txt': 'her' });
  const { root, form, concept } = made;
  await writeAll(join(root, 'dogs'), { 'a.jpg': 'dog', 'a.txt': 'the dog' });
  const dog = {
    ...emptyConcept,
    instancePrompt: 'rex',
    classPrompt: 'dog',
    folders: [join(root, 'dogs')],
    repeats: 5,
  };
  return { ...made, dog, two: { ...form, concepts: [concept, dog] } };
}

test('each concept gets a folder of its own', async () => {
  const { two, preparation } = await twoConcepts();
  const plan = await preparation.plan(two);
  expect(plan.problems).toEqual([]);
  expect(plan.folders.slice(0, 2)).toMatchObject([
    { role: 'img', concepts: [0], images: 1, repeats: 20 },
    { role: 'img', concepts: [1], images: 1, repeats: 5 },
  ]);
  expect(await preparation.prepare(two)).toMatchObject({ copied: 2, kept: 0 });
  expect(await readAll(join(two.destination, 'img'))).toEqual({
    '20_rihanna woman/a.jpg': 'A',
    '20_rihanna woman/a.txt': 'her',
    '5_rex dog/a.jpg': 'dog',
    '5_rex dog/a.txt': 'the dog',
  });
});

test('problems name the concept that they are of', async () => {
  const { two, dog, concept, preparation } = await twoConcepts();
  const broken = { ...two, concepts: [concept, { ...dog, classPrompt: '', repeats: null }] };
  const { problems } = await preparation.plan(broken);
  expect(problems.map(({ concept: of, field }) => [of, field])).toEqual([
    [1, 'classPrompt'],
    [1, 'repeats'],
  ]);
});

test('two concepts that would be one folder are refused at the field of the second', async () => {
  const { two, dog, concept, preparation } = await twoConcepts();
  const same = { ...dog, instancePrompt: 'Rihanna', classPrompt: 'woman', repeats: 20 };
  const { problems } = await preparation.plan({ ...two, concepts: [concept, same] });
  expect(problems).toMatchObject([
    { concept: 1, field: 'instancePrompt', problem: { code: 'concept_twice' } },
  ]);
  const other = { ...same, repeats: 40 };
  expect((await preparation.plan({ ...two, concepts: [concept, other] })).problems).toEqual([]);
});

test('prompts that no folder can be called are mended, and trained under the mended name', async () => {
  const { form, preparation, asked } = await setUpPreparation();
  const mended = withConcept(form, { instancePrompt: 'sks/her', classPrompt: 'woman.' });
  await preparation.plan(mended);
  expect(asked[0]?.[1][0]?.prompt).toBe('sks her woman');
  await preparation.prepare(mended);
  expect(Object.keys(await readAll(join(form.destination, 'img')))).toContain(
    join('20_sks her woman', 'a.jpg'),
  );
});

test('several folders and single pictures come together, each with its own caption', async () => {
  const { root, photos, form, preparation, target, asked } = await setUpPreparation({
    'a.jpg': 'A',
    'a.txt': 'one',
  });
  await writeAll(join(root, 'more'), { 'a.jpg': 'AA', 'a.txt': 'two', 'b.jpg': 'B' });
  await writeAll(join(root, 'single'), { 'a.png': 'AAA', 'a.txt': 'three', 'c.jpg': 'C' });
  const several = withConcept(form, {
    folders: [photos, join(root, 'more')],
    files: [join(root, 'single', 'a.png')],
  });
  const { warnings, images } = await preparation.plan(several);
  expect(images).toBe(4);
  expect(warnings.map(({ code }) => code)).toEqual(['pictures_renamed']);
  expect(warnings[0]?.message).toContain('a.jpg → a-2.jpg, a.png → a-3.png');
  expect(asked[0]?.[1].map(({ folder, files }) => [folder, files])).toEqual([
    [photos, ['a.jpg']],
    [join(root, 'more'), ['a.jpg', 'b.jpg']],
    [join(root, 'single'), ['a.png']],
  ]);
  const expected = {
    'a.jpg': 'A',
    'a.txt': 'one',
    'a-2.jpg': 'AA',
    'a-2.txt': 'two',
    'b.jpg': 'B',
    'a-3.png': 'AAA',
    'a-3.txt': 'three',
  };
  await preparation.prepare(several);
  expect(await readAll(target)).toEqual(expected);
  expect(await preparation.prepare(several)).toMatchObject({ copied: 0, kept: 4 });
  expect(await readAll(target)).toEqual(expected);
});

test('two pictures of one folder that share a caption share it there too', async () => {
  const { form, preparation, target } = await setUpPreparation({
    'a.jpg': 'A',
    'a.png': 'AA',
    'a.txt': 'both',
  });
  await preparation.prepare(form);
  expect(await readAll(target)).toEqual({ 'a.jpg': 'A', 'a.png': 'AA', 'a.txt': 'both' });
});

test('concepts of one class share their regularization pictures', async () => {
  const { root, two, concept, dog, preparation } = await twoConcepts();
  await writeAll(join(root, 'reg1'), { 'r.jpg': 'R' });
  await writeAll(join(root, 'reg2'), { 'r.jpg': 'RR' });
  const shared = [
    { ...concept, regularizationFolder: join(root, 'reg1') },
    { ...dog, classPrompt: 'Woman', regularizationFolder: join(root, 'reg2') },
  ];
  await preparation.prepare({ ...two, concepts: shared });
  expect(await readAll(join(two.destination, 'reg'))).toEqual({
    '1_woman/r.jpg': 'R',
    '1_woman/r-2.jpg': 'RR',
  });
});

test('a picture that vanishes meanwhile is named, and what was made goes again', async () => {
  const { photos, form, preparation, history } = await setUpPreparation({
    'a.jpg': 'A',
    'b.jpg': 'B',
  });
  const begin = history.begin.bind(history);
  history.begin = async (change) => {
    await rm(join(photos, 'b.jpg'));
    return begin(change);
  };
  await expect(preparation.prepare(form)).rejects.toMatchObject({
    problem: { code: 'not_found', message: expect.stringContaining(join('photos', 'b.jpg')) },
  });
  await expect(stat(form.destination)).rejects.toThrow('ENOENT');
  expect(await history.last(form.destination)).toBeNull();
});

test('a file where a folder should be is said, and nothing is left of the attempt', async () => {
  const { form, preparation, target } = await setUpPreparation();
  await writeAll(form.destination, { log: 'in the way' });
  await expect(preparation.prepare(form)).rejects.toMatchObject({
    problem: { code: 'not_a_folder', message: expect.stringContaining('log') },
  });
  expect(await readAll(form.destination)).toEqual({ log: 'in the way' });
  await expect(stat(target)).rejects.toThrow('ENOENT');
});

test('a link is the same file, a caption never is', async () => {
  const { photos, form, preparation, target } = await setUpPreparation({
    'a.jpg': 'A',
    'a.txt': 'her',
  });
  const linked = { ...form, transfer: 'link' as const };
  const plan = await preparation.plan(linked);
  expect(plan).toMatchObject({ bytes: 3, folders: [{ linkable: 1, added: 1 }, {}, {}] });
  expect(await preparation.prepare(linked)).toMatchObject({ linked: 1, copied: 0 });
  const inode = async (path: string) => (await stat(path)).ino;
  expect(await inode(join(target, 'a.jpg'))).toBe(await inode(join(photos, 'a.jpg')));
  expect(await inode(join(target, 'a.txt'))).not.toBe(await inode(join(photos, 'a.txt')));
  expect(await preparation.prepare(linked)).toMatchObject({ linked: 0, copied: 0, kept: 1 });
});

test('what was dropped is told apart', async () => {
  const { photos, root } = await setUpPreparation({ 'a.jpg': 'A', 'notes.md': 'x' });
  await writeFile(join(root, 'b.PNG'), 'B');
  await utimes(join(root, 'b.PNG'), 1, 1);
  const others = [join(photos, 'notes.md'), join(root, 'gone.jpg')];
  expect(
    await sortDropped([photos, join(photos, 'a.jpg'), join(root, 'b.PNG'), ...others]),
  ).toEqual({
    folders: [photos],
    pictures: [join(photos, 'a.jpg'), join(root, 'b.PNG')],
    others,
  });
});
