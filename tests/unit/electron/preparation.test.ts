import { readFile, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { datasetLabels, type ConceptForm, type DatasetForm } from '../../../shared/dataset-form';
import { emptyPlan } from '../../fakes/empty-plan';
import { readAll, setUpPreparation as setUp, withConcept, writeAll } from '../../fakes/preparation';

const codes = (problems: readonly { readonly code: string }[]) => problems.map(({ code }) => code);

test('pictures and their captions come into Kohya’s layout, and the sources stay', async () => {
  const { form, photos, preparation, root, progress } = await setUp({
    'a.jpg': 'A',
    'a.txt': 'a caption',
    'b.png': 'BB',
    'b.png.edit.json': '{"rotate":90}',
    'notes.md': 'not a picture',
  });
  await writeAll(join(root, 'reg'), { 'r.webp': 'R' });
  const before = await readAll(photos);
  const prepared = await preparation.prepare(
    withConcept(form, { regularizationFolder: join(root, 'reg') }),
  );
  expect(await readAll(form.destination)).toEqual({
    'img/20_rihanna woman/a.jpg': 'A',
    'img/20_rihanna woman/a.txt': 'a caption',
    'img/20_rihanna woman/b.png': 'BB',
    'img/20_rihanna woman/b.png.edit.json': '{"rotate":90}',
    'reg/1_woman/r.webp': 'R',
  });
  expect((await readdir(form.destination)).sort()).toEqual(['img', 'log', 'model', 'reg']);
  expect(await readAll(photos)).toEqual(before);
  expect(prepared).toMatchObject({
    copied: 3,
    kept: 0,
    reg_data_dir: join(form.destination, 'reg'),
    imagesFolder: join(form.destination, 'img', '20_rihanna woman'),
  });
  expect(progress.at(-1)).toMatchObject({ done: 5, total: 5 });
});

test('the plan says what will be made, asks the bridge about it, and touches nothing', async () => {
  const { form, photos, preparation, asked } = await setUp();
  const plan = await preparation.plan(form);
  expect(plan).toMatchObject({ images: 2, bytes: 3, problems: [], warnings: [], plan: emptyPlan });
  expect(plan.folders.map(({ role, exists }) => [role, exists])).toEqual([
    ['img', false],
    ['log', false],
    ['model', false],
  ]);
  expect(asked[0]?.[0].sample_prompts).toBe('');
  expect(asked[0]?.[1]).toEqual([
    {
      folder: photos,
      files: ['a.jpg', 'b.png'],
      prompt: 'rihanna woman',
      repeats: 20,
      regularization: false,
    },
  ]);
  await expect(readdir(form.destination)).rejects.toThrow('ENOENT');
});

test('preparing again keeps what is the same and adds what is new', async () => {
  const { form, photos, preparation, target } = await setUp();
  await preparation.prepare(form);
  await writeAll(photos, { 'c.jpg': 'C' });
  expect(await preparation.prepare(form)).toMatchObject({ copied: 1, kept: 2 });
  expect(Object.keys(await readAll(target))).toEqual(['a.jpg', 'b.png', 'c.jpg']);
});

test('nothing that is there is overwritten: another picture of the same name, an edited caption', async () => {
  const { form, preparation, target } = await setUp({ 'a.jpg': 'A', 'a.txt': 'new caption' });
  await writeAll(target, { 'a.jpg': 'X', 'a.txt': 'mine' });
  await utimes(join(target, 'a.jpg'), 1, 1);
  const { warnings, problems } = await preparation.plan(form);
  expect(problems).toEqual([]);
  expect(codes(warnings)).toEqual(['pictures_renamed', 'pictures_already_there']);
  await preparation.prepare(form);
  const expected = { 'a.jpg': 'X', 'a.txt': 'mine', 'a-2.jpg': 'A', 'a-2.txt': 'new caption' };
  expect(await readAll(target)).toEqual(expected);
  await preparation.prepare(form);
  expect(await readAll(target)).toEqual(expected);
});

test('a caption that was edited in the destination stays, and that is said', async () => {
  const { form, preparation, target } = await setUp({ 'a.jpg': 'A', 'a.txt': 'from the source' });
  await preparation.prepare(form);
  await writeFile(join(target, 'a.txt'), 'edited');
  expect(codes((await preparation.plan(form)).warnings)).toEqual(['captions_kept']);
  await preparation.prepare(form);
  expect(await readFile(join(target, 'a.txt'), 'utf8')).toBe('edited');
});

test('damaged pictures are left out, and that is said', async () => {
  const { form, preparation, target } = await setUp({
    'a.jpg': 'A',
    'b.jpg': 'damaged',
    'c.psd': 'C',
  });
  const { images, warnings } = await preparation.plan(form);
  expect(images).toBe(1);
  expect(warnings[0]?.message).toContain('b.jpg, c.psd');
  await preparation.prepare(form);
  expect(await readdir(target)).toEqual(['a.jpg']);
});

test('folders of an earlier preparation are told and counted in the plan', async () => {
  const { form, preparation, asked, target } = await setUp();
  await preparation.prepare(withConcept(form, { repeats: 40 }));
  const { leftovers } = await preparation.plan(form);
  expect(leftovers).toMatchObject([{ role: 'img', images: 2, renameTo: target }]);
  expect(asked.at(-1)?.[1].map(({ repeats }) => repeats)).toEqual([20, 40]);
});

test('cancelling removes what it has made, and only that', async () => {
  const names = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`${String(i)}.jpg`, String(i)]),
  );
  const { form, preparation, target, progress } = await setUp(names);
  await writeAll(target, { 'mine.jpg': 'M', '0.jpg': '0' });
  const running = preparation.prepare(form);
  const watch = setInterval(() => {
    if (progress.length > 0) void preparation.cancel();
  }, 0);
  await expect(running).rejects.toMatchObject({ problem: { code: 'cancelled' } });
  clearInterval(watch);
  expect(await readAll(form.destination)).toEqual({
    'img/20_rihanna woman/0.jpg': '0',
    'img/20_rihanna woman/mine.jpg': 'M',
  });
  expect(await readdir(form.destination)).toEqual(['img']);
});

test('a cancellation is over when everything is put back', async () => {
  const { form, preparation } = await setUp();
  const running = preparation.prepare(form);
  const cancelled = preparation.cancel();
  await Promise.all([
    expect(running).rejects.toMatchObject({ problem: { code: 'cancelled' } }),
    cancelled.then(async () => {
      await expect(readdir(form.destination)).rejects.toThrow('ENOENT');
      await expect(preparation.prepare(form)).resolves.toMatchObject({ copied: 2 });
    }),
  ]);
});

test('messages call a field what the screen calls it', async () => {
  const { root, form, preparation } = await setUp();
  const { problems } = await preparation.plan({
    ...withConcept(form, {
      classPrompt: '',
      regularizationFolder: join(root, 'reg'),
      regularizationRepeats: null,
    }),
    destination: '',
  });
  for (const { field, problem } of problems.filter(
    ({ problem: { code } }) => code !== 'folder_missing',
  ))
    expect(problem.message).toContain(datasetLabels[field]);
  expect(problems.map(({ field }) => field)).toContain('regularizationRepeats');
});

test('one preparation at a time', async () => {
  const { form, preparation } = await setUp();
  const first = preparation.prepare(form);
  await expect(preparation.prepare(form)).rejects.toMatchObject({
    problem: { code: 'preparation_running' },
  });
  await first;
});

describe('what keeps the button from being pressed', () => {
  const expectProblem = async (
    change: (root: string) => Partial<ConceptForm & DatasetForm>,
    field: string,
    code: string,
  ) => {
    const { form, preparation, root } = await setUp();
    const { destination = form.destination, ...concept } = change(root);
    const changed = { ...withConcept(form, concept), destination };
    const { problems } = await preparation.plan(changed);
    expect(problems.map((found) => [found.field, found.problem.code])).toContainEqual([
      field,
      code,
    ]);
    await expect(preparation.prepare(changed)).rejects.toMatchObject({ name: 'ProblemError' });
    expect((await readdir(root)).filter((name) => name === 'project')).toEqual([]);
  };

  test.each([
    ['an empty prompt', { instancePrompt: '  ' }, 'instancePrompt', 'prompt_missing'],
    ['nothing but slashes', { classPrompt: '//' }, 'classPrompt', 'prompt_missing'],
    ['no repeats', { repeats: 0 }, 'repeats', 'repeats_invalid'],
    ['half a repeat', { repeats: 1.5 }, 'repeats', 'repeats_invalid'],
    ['no folder', { folders: [''] }, 'folders', 'folder_not_chosen'],
    ['a folder that is not there', { folders: ['/no/such'] }, 'folders', 'folder_missing'],
    ['a picture that is not there', { files: ['/no/such.png'] }, 'folders', 'folder_missing'],
    ['no destination', { destination: '' }, 'destination', 'destination_missing'],
    ['a relative destination', { destination: 'here' }, 'destination', 'destination_relative'],
  ])('%s', (_name, change, field, code) => expectProblem(() => change, field, code));

  test('a destination inside the pictures', () =>
    expectProblem(
      (root) => ({ destination: join(root, 'photos') }),
      'destination',
      'target_in_source',
    ));

  test('the same folder twice', () =>
    expectProblem(
      (root) => ({ regularizationFolder: join(root, 'photos') }),
      'regularizationFolder',
      'same_folder',
    ));

  test('a destination that is a file', () =>
    expectProblem(
      (root) => ({ destination: join(root, 'photos', 'a.jpg') }),
      'destination',
      'not_a_folder',
    ));

  test('pictures that are where they would go, by way of a link', async () => {
    const { form, preparation, target, root } = await setUp();
    await writeAll(target, { 'a.jpg': 'A' });
    await symlink(target, join(root, 'link'));
    const { problems } = await preparation.plan(
      withConcept(form, { folders: [join(root, 'link')] }),
    );
    expect(problems[0]?.problem.code).toBe('source_is_target');
    await writeAll(join(target, 'deep'), { 'a.jpg': 'A' });
    const inside = await preparation.plan(withConcept(form, { folders: [join(target, 'deep')] }));
    expect(inside.problems[0]?.problem.code).toBe('source_in_target');
  });

  test('a folder without pictures', async () => {
    const { form, preparation } = await setUp({ 'notes.txt': 'x' });
    expect((await preparation.plan(form)).problems[0]?.problem.code).toBe('no_images');
  });
});
