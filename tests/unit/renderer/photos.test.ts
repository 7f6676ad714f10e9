import { expect, test } from 'vitest';
import { arrange, asInFolder } from '../../../renderer/components/photos/arrange';
import { withFacts, withImage } from '../../../renderer/components/photos/read-facts';
import {
  moved,
  nothingSelected,
  selectAll,
  touch,
} from '../../../renderer/components/photos/selection';
import { zoomedAround } from '../../../renderer/components/photos/useZoom';
import type { ImageInfo } from '../../../shared/dataset-answers';
import { changesNothing, turnedRight } from '../../../shared/picture-edits';

const image = (name: string, width: number, height: number, caption: string | null = null) =>
  ({
    id: name,
    name,
    path: `/${name}`,
    bytes: 1,
    facts: { width, height, format: 'png', problem: width === 0 ? 'damaged' : null },
    edit: null,
    caption,
  }) satisfies ImageInfo;

const images = [
  image('a', 30, 20, 'a red cat'),
  image('b', 10, 10),
  image('c', 20, 40, 'a dog'),
  image('d', 0, 0),
];
const names = (shown: readonly ImageInfo[]) => shown.map(({ name }) => name).join('');

test('pictures are sorted and filtered', () => {
  expect(names(arrange(images, asInFolder))).toBe('abcd');
  expect(names(arrange(images, { ...asInFolder, descending: true }))).toBe('dcba');
  expect(names(arrange(images, { ...asInFolder, order: 'size' }))).toBe('dbac');
  expect(names(arrange(images, { ...asInFolder, order: 'size', descending: true }))).toBe('cabd');
  expect(names(arrange(images, { ...asInFolder, order: 'shape' }))).toBe('dcba');
  expect(names(arrange(images, { ...asInFolder, kind: 'uncaptioned' }))).toBe('bd');
  expect(names(arrange(images, { ...asInFolder, kind: 'portrait' }))).toBe('c');
  expect(names(arrange(images, { ...asInFolder, kind: 'square' }))).toBe('b');
  expect(names(arrange(images, { ...asInFolder, kind: 'unusable' }))).toBe('d');
  expect(names(arrange(images, { ...asInFolder, search: ' CAT ' }))).toBe('a');
});

test('ten thousand pictures are sorted in no time', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => image(`${index}`, index, 7));
  const start = performance.now();
  arrange(many, { ...asInFolder, order: 'shape', descending: true });
  expect(performance.now() - start).toBeLessThan(500);
});

test('what was read since is put where it belongs', () => {
  const [first] = images;
  const unread = images.map((one) => ({ ...one, facts: null }));
  const facts = first?.facts ?? null;
  expect(
    withFacts(unread, facts === null ? [] : [{ id: 'a', facts }]).map((one) => one.facts),
  ).toEqual([facts, null, null, null]);
  expect(withFacts(unread, [])).toBe(unread);
  const turned = { ...image('b', 1, 2), id: 'other' };
  expect(withImage(images, turned)[1]).toBe(turned);
  expect(withImage(images, { ...turned, path: '/elsewhere' })).toBe(images);
});

test('pictures are selected as in a file manager', () => {
  const paths = ['1', '2', '3', '4', '5'];
  const plain = { toggle: false, range: false };
  const clicked = touch(nothingSelected, paths, '2', plain);
  expect([...clicked.selected]).toEqual(['2']);
  const range = touch(clicked, paths, '4', { toggle: false, range: true });
  expect([...range.selected]).toEqual(['2', '3', '4']);
  const back = touch(range, paths, '1', { toggle: false, range: true });
  expect([...back.selected]).toEqual(['1', '2']);
  const less = touch(back, paths, '2', { toggle: true, range: false });
  expect([...less.selected]).toEqual(['1']);
  const more = touch(less, paths, '5', { toggle: true, range: false });
  expect([...more.selected]).toEqual(['1', '5']);
  expect([...selectAll(more, paths).selected]).toEqual(paths);
  expect(selectAll(more, paths).current).toBe('5');
});

test('keys move through the grid and never out of it', () => {
  const go = (key: Parameters<typeof moved>[0], from: number) => moved(key, from, 10, 4, 2);
  expect(go('ArrowRight', 3)).toBe(4);
  expect(go('ArrowLeft', 0)).toBe(0);
  expect(go('ArrowDown', 1)).toBe(5);
  expect(go('ArrowUp', 1)).toBe(1);
  expect(go('ArrowDown', 5)).toBe(9);
  expect(go('ArrowDown', 7)).toBe(9);
  expect(go('PageDown', 0)).toBe(8);
  expect(go('PageUp', 9)).toBe(1);
  expect(go('Home', 7)).toBe(0);
  expect(go('End', 0)).toBe(9);
});

test('a zoom keeps the point that it is around, and ends at the whole picture', () => {
  const once = zoomedAround({ scale: 1, x: 0, y: 0 }, 2, 30, -10);
  expect(once).toEqual({ scale: 2, x: -30, y: 10 });
  expect(zoomedAround(once, 0.1, 30, -10)).toEqual({ scale: 1, x: 0, y: 0 });
  expect(zoomedAround(once, 100, 0, 0).scale).toBe(16);
});

test('four turns bring a crop back to where it was', () => {
  const edit = { rotate: 0, crop: [0.125, 0.25, 0.5, 0.25] } satisfies Parameters<
    typeof turnedRight
  >[0];
  const turned = turnedRight(edit);
  expect(turned).toEqual({ rotate: 90, crop: [0.5, 0.125, 0.25, 0.5] });
  expect(turnedRight(turnedRight(turnedRight(turned)))).toEqual(edit);
  expect(changesNothing({ rotate: 0, crop: [0, 0, 1, 1] })).toBe(true);
  expect(changesNothing(turned)).toBe(false);
});
