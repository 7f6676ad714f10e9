import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { planBalance } from '../../../electron/services/balancing';
import { balancedRepeats, parseBalanceName } from '../../../shared/kohya/balance';
import { setUpPreparation, writeAll } from '../../fakes/preparation';

const pictures = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${String(i)}.JPG`, 'x']));

async function tree(folders: Readonly<Record<string, number>>) {
  const made = await setUpPreparation();
  const img = join(made.form.destination, 'img');
  for (const [name, count] of Object.entries(folders)) {
    await mkdir(join(img, name), { recursive: true });
    await writeAll(join(img, name), pictures(count));
  }
  return { ...made, img };
}

test.each([
  [10, 1000, 1, 100],
  [3, 1000, 1, 333],
  [3, 1000, 1.5, 500],
  [5000, 1000, 1, 1],
  [0, 1000, 1, 0],
])('%d images to %d steps, times %d, are %d repeats', (images, steps, multiplier, repeats) => {
  expect(balancedRepeats(images, steps, multiplier)).toBe(repeats);
});

test.each([
  ['20_sks woman', { repeats: 20, rest: 'sks woman', multiplier: 1 }],
  ['{1.5}20_sks woman', { repeats: 20, rest: 'sks woman', multiplier: 1.5 }],
  ['{2}style', { repeats: null, rest: 'style', multiplier: 2 }],
  ['photos', null],
  ['{x}photos', null],
  ['{0}20_x', null],
])('%s', (name, parsed) => expect(parseBalanceName(name)).toEqual(parsed));

describe('a folder of <repeats>_<name> folders', () => {
  test('is planned without a touch, then renamed, then named as before', async () => {
    const folders = { '20_a': 4, '1_b': 2, '{1.5}7_c': 2, '9_empty': 0, notes: 1 };
    const { img, folders: service, preparation, form } = await tree(folders);
    const before = (await readdir(img)).sort();
    const { rows, lastChange } = await service.planBalance(img, 100);
    expect(lastChange).toBeNull();
    expect(rows.map(({ name, newName, problem }) => [name, newName, problem])).toEqual([
      ['1_b', '50_b', null],
      ['20_a', '25_a', null],
      ['9_empty', '9_empty', null],
      ['{1.5}7_c', '75_c', null],
    ]);
    expect((await readdir(img)).sort()).toEqual(before);
    expect(await service.balance(img, 100)).toBe(3);
    expect((await readdir(img)).sort()).toEqual(['25_a', '50_b', '75_c', '9_empty', 'notes']);
    // The weight is no part of a name that trainers read, so it counts once.
    expect((await planBalance(img, 100)).at(-2)).toMatchObject({ name: '75_c', newRepeats: 50 });
    expect(await preparation.undo(form.destination)).toMatchObject({
      title: 'Balanced 3 folders',
      movedBack: 3,
    });
    expect((await readdir(img)).sort()).toEqual(before);
  });

  test('a name that is taken stays with the reason; one that becomes free is used', async () => {
    const { img, folders: service } = await tree({ '10_x': 5, '20_x': 10, '40_x': 10 });
    // 10_x becomes 20_x, which becomes 10_x: they would swap. 40_x becomes 10_x too.
    const rows = await planBalance(img, 100);
    expect(rows.map(({ newName, problem }) => [newName, problem !== null])).toEqual([
      ['20_x', true],
      ['10_x', true],
      ['10_x', true],
    ]);
    expect(await service.balance(img, 100)).toBe(0);
    expect((await readdir(img)).sort()).toEqual(['10_x', '20_x', '40_x']);
  });

  test('folders whose names follow each other are renamed in an order that works', async () => {
    const { img, folders: service } = await tree({ '10_x': 5, '20_x': 4, '25_x': 2 });
    expect(await service.balance(img, 100)).toBe(3);
    expect((await readdir(img)).sort()).toEqual(['20_x', '25_x', '50_x']);
    expect(await readdir(join(img, '20_x'))).toHaveLength(5);
    expect(await readdir(join(img, '50_x'))).toHaveLength(2);
  });

  test('two that would get one name: the second stays', async () => {
    const { img, folders: service } = await tree({ '1_x': 10, '2_x': 10 });
    const { rows } = await service.planBalance(img, 100);
    expect(rows.map(({ problem }) => problem)).toEqual([
      null,
      '10_x is the name of 1_x, so this folder stays.',
    ]);
    expect(await service.balance(img, 100)).toBe(1);
    expect((await readdir(img)).sort()).toEqual(['10_x', '2_x']);
  });

  test('without such folders it is refused', async () => {
    const { photos } = await setUpPreparation();
    await expect(planBalance(photos, 100)).rejects.toMatchObject({
      problem: { code: 'nothing_to_balance' },
    });
    await expect(planBalance(join(photos, 'none'), 100)).rejects.toMatchObject({
      problem: { code: 'not_found' },
    });
  });
});
