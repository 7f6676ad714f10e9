import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processStartTime } from '../../../electron/lib/platform';
import { FolderHistory } from '../../../electron/services/folder-history';
import { undoLast } from '../../../electron/services/undoing';
import { recordingLog } from '../../fakes/recording-log';
import { readAll, setUpPreparation, withConcept, writeAll } from '../../fakes/preparation';

const codes = (problems: readonly { readonly code: string }[]) => problems.map(({ code }) => code);

test('undoing removes what was made, after a restart too, and nothing else', async () => {
  const { root, photos, form, preparation } = await setUpPreparation({
    'a.jpg': 'A',
    'a.txt': 'her',
  });
  const before = await readAll(photos);
  await preparation.prepare(form);
  const history = new FolderHistory(join(root, 'history'), recordingLog());
  const last = await history.describeLast(form.destination);
  expect(last?.title).toBe('Prepared 1 image');
  const undone = await undoLast(history, form.destination, last?.id);
  expect(undone).toMatchObject({ removed: 2, stayed: [] });
  await expect(stat(form.destination)).rejects.toThrow('ENOENT');
  expect(await readAll(photos)).toEqual(before);
  expect(await readdir(join(root, 'history'))).toEqual([]);
});

test('what the user changed or added since stays, and is told', async () => {
  const { form, preparation, target } = await setUpPreparation({
    'a.jpg': 'A',
    'a.txt': 'her',
    'b.jpg': 'B',
  });
  await preparation.prepare(form);
  await writeAll(target, { 'a.txt': 'edited since', 'b.txt': 'written since' });
  const { removed, stayed } = await preparation.undo(form.destination);
  expect(removed).toBe(2);
  expect(codes(stayed)).toEqual(['changed_since', 'folders_kept']);
  expect(stayed[1]?.message).toContain('20_rihanna woman');
  expect(await readAll(target)).toEqual({ 'a.txt': 'edited since', 'b.txt': 'written since' });
});

test('the last copy of a picture is never removed', async () => {
  const { photos, form, preparation, target } = await setUpPreparation({
    'a.jpg': 'A',
    'b.jpg': 'B',
    'c.jpg': 'C',
  });
  await preparation.prepare(form);
  await rm(join(photos, 'a.jpg'));
  await writeFile(join(photos, 'b.jpg'), 'another');
  const { removed, stayed } = await preparation.undo(form.destination);
  expect(removed).toBe(1);
  expect(codes(stayed)).toEqual(['original_gone', 'folders_kept']);
  expect(await readAll(target)).toEqual({ 'a.jpg': 'A', 'b.jpg': 'B' });
});

test('a link is taken away again, the original stays', async () => {
  const { photos, form, preparation } = await setUpPreparation();
  await preparation.prepare({ ...form, transfer: 'link' });
  expect(await preparation.undo(form.destination)).toMatchObject({ removed: 2, stayed: [] });
  expect(await readAll(photos)).toEqual({ 'a.jpg': 'A', 'b.png': 'BB' });
});

test('only what was done last can be undone, then what was done before it', async () => {
  const { photos, form, preparation, history, target } = await setUpPreparation();
  await preparation.prepare(form);
  const first = await history.describeLast(form.destination);
  await writeAll(photos, { 'c.jpg': 'C' });
  await preparation.prepare(form);
  await expect(preparation.undo(form.destination, first?.id)).rejects.toMatchObject({
    problem: { code: 'undo_outdated' },
  });
  expect(await preparation.undo(form.destination)).toMatchObject({ removed: 1 });
  expect(Object.keys(await readAll(target))).toEqual(['a.jpg', 'b.png']);
  expect(await preparation.undo(form.destination, first?.id)).toMatchObject({ removed: 2 });
  await expect(preparation.undo(form.destination)).rejects.toMatchObject({
    problem: { code: 'nothing_to_undo' },
  });
});

test('preparing what is all there already is no change', async () => {
  const { form, preparation, history } = await setUpPreparation();
  await preparation.prepare(form);
  const first = await history.describeLast(form.destination);
  await preparation.prepare(form);
  expect(await history.describeLast(form.destination)).toEqual(first);
});

test('a folder of other repeats is renamed instead of copied again, and back', async () => {
  const { form, preparation, folders, target } = await setUpPreparation();
  await preparation.prepare(withConcept(form, { repeats: 40 }));
  const [leftover] = (await preparation.plan(form)).leftovers;
  expect(leftover?.renameTo).toBe(target);
  await folders.rename(form.destination, leftover?.path ?? '', target);
  const plan = await preparation.plan(form);
  expect(plan.leftovers).toEqual([]);
  expect(plan.folders[0]).toMatchObject({ exists: true, added: 0, images: 2 });
  expect(plan.lastChange?.title).toBe('Renamed 40_rihanna woman to 20_rihanna woman');
  expect(await preparation.undo(form.destination)).toMatchObject({ movedBack: 1 });
  expect(await readdir(join(form.destination, 'img'))).toEqual(['40_rihanna woman']);
});

test('a folder with other pictures is not offered to be renamed', async () => {
  const { form, preparation } = await setUpPreparation();
  await writeAll(join(form.destination, 'img', '40_rihanna woman'), { 'x.jpg': 'other' });
  expect((await preparation.plan(form)).leftovers).toMatchObject([{ images: 1, renameTo: null }]);
});

test('leftovers are moved out of the way of trainers, and back', async () => {
  const { form, preparation, folders } = await setUpPreparation();
  const stale = join(form.destination, 'img', '10_someone else');
  await writeAll(stale, { 'x.jpg': 'X', 'x.txt': 'mine' });
  await writeAll(join(form.destination, 'set-aside', 'img', '10_someone else'), { 'y.jpg': 'Y' });
  await preparation.prepare(form);
  await folders.setAside(form.destination, [stale]);
  expect((await preparation.plan(form)).leftovers).toEqual([]);
  expect(await readAll(join(form.destination, 'set-aside'))).toEqual({
    'img/10_someone else/y.jpg': 'Y',
    'img/10_someone else (2)/x.jpg': 'X',
    'img/10_someone else (2)/x.txt': 'mine',
  });
  await preparation.undo(form.destination);
  expect(await readAll(stale)).toEqual({ 'x.jpg': 'X', 'x.txt': 'mine' });
});

test('nothing but a folder of an earlier preparation is moved', async () => {
  const { form, photos, folders } = await setUpPreparation();
  for (const path of [photos, join(form.destination, 'img', '..', '..', 'photos'), '/'])
    await expect(folders.setAside(form.destination, [path])).rejects.toMatchObject({
      problem: { code: 'not_a_leftover' },
    });
  expect(await readdir(photos)).toEqual(['a.jpg', 'b.png']);
});

test('what cannot be moved back because its place is taken stays, and is told', async () => {
  const { form, preparation, folders } = await setUpPreparation();
  const stale = join(form.destination, 'img', '10_x');
  await writeAll(stale, { 'x.jpg': 'X' });
  await folders.setAside(form.destination, [stale]);
  await writeAll(stale, { 'new.jpg': 'N' });
  const { movedBack, stayed } = await preparation.undo(form.destination);
  expect([movedBack, codes(stayed)]).toEqual([0, ['in_the_way']]);
  expect(await readAll(join(form.destination, 'set-aside', 'img', '10_x'))).toEqual({
    'x.jpg': 'X',
  });
});

test('a preparation of another process keeps this one waiting; one that was killed does not', async () => {
  const { root, form, preparation, history, target } = await setUpPreparation();
  const record = await history.begin({
    root: form.destination,
    title: 'Prepared 2 images',
    folders: [],
    files: [{ path: join(target, 'a.jpg'), source: '/a', bytes: 1, mtimeMs: 1 }],
    moves: [],
  });
  const file = join(root, 'history', `${record.id}.json`);
  const part = `.${record.id}-0.part`;
  await writeAll(target, { [part]: 'half', '.mine.part': 'not ours' });
  const running = { ...record, process: { pid: process.ppid, startTime: '' } };
  running.process.startTime = (await processStartTime(process.ppid)) ?? '';
  await writeFile(file, JSON.stringify(running));
  await expect(preparation.prepare(form)).rejects.toMatchObject({
    problem: { code: 'preparation_running' },
  });
  running.process.startTime = 'of a process that is gone';
  await writeFile(file, JSON.stringify(running));
  await preparation.prepare(form);
  expect((await readdir(target)).sort()).toEqual(['.mine.part', 'a.jpg', 'b.png']);
});

test('a project that was moved has no history, and a record that is broken is none', async () => {
  const { root, form, preparation, history } = await setUpPreparation();
  await preparation.prepare(form);
  await rename(form.destination, join(root, 'elsewhere'));
  expect(await history.last(join(root, 'elsewhere'))).toBeNull();
  await writeAll(join(root, 'history'), { 'broken.json': '{' });
  expect(await history.last(join(root, 'elsewhere'))).toBeNull();
});
