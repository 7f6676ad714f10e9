import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { emptyConcept, emptyDataset } from '../../../shared/dataset-form';
import { ok } from '../../../shared/result';

const notified: { title: string; message: string; action?: { run: () => void } }[] = [];
vi.mock('../../../renderer/app/notify', () => ({
  notifyDone: (step: (typeof notified)[number]) => notified.push(step),
  notifyProblem: () => undefined,
  attempt: (work: () => Promise<unknown>) => void work(),
}));

const photos = {
  ...emptyConcept,
  instancePrompt: 'nova',
  classPrompt: 'woman',
  folders: ['/photos'],
};

async function open(dropped: { folders?: string[]; pictures?: string[]; others?: string[] } = {}) {
  vi.resetModules();
  notified.length = 0;
  const sort = vi.fn(() =>
    Promise.resolve(ok({ folders: [], pictures: [], others: [], ...dropped })),
  );
  vi.stubGlobal('window', { api: { invoke: { 'datasets:sortDropped': sort } } });
  const concepts = await import('../../../renderer/tabs/dataset/concepts');
  const { useProject, editDataset } = await import('../../../renderer/app/project');
  editDataset({ ...emptyDataset, concepts: [photos] });
  const form = () => useProject.getState().dataset;
  return { ...concepts, form };
}

beforeEach(() => vi.stubGlobal('document', { activeElement: null }));
afterEach(() => vi.unstubAllGlobals());

test('what is dropped on the window takes the place of the images, and that is taken back', async () => {
  const { takeImages, form } = await open({ folders: ['/other'], pictures: ['/one/a.png'] });
  takeImages(0, ['/other', '/one/a.png'], 'replace');
  await vi.waitFor(() => expect(notified).toHaveLength(1));
  expect(form().concepts[0]).toMatchObject({ folders: ['/other'], files: ['/one/a.png'] });
  notified[0]?.action?.run();
  expect(form().concepts).toEqual([photos]);
});

test('what is dropped on a card is added, each once', async () => {
  const { takeImages, form } = await open({ folders: ['/photos', '/more'] });
  takeImages(0, ['/photos', '/more'], 'add');
  await vi.waitFor(() => expect(notified).toHaveLength(1));
  expect(form().concepts[0]?.folders).toEqual(['/photos', '/more']);
});

test('what is no picture is told, and changes nothing', async () => {
  const { takeImages, form } = await open({ others: ['/notes.md'] });
  takeImages(0, ['/notes.md'], 'replace');
  await vi.waitFor(() => expect(notified).toHaveLength(1));
  expect(notified[0]?.message).toContain('notes.md');
  expect(form().concepts).toEqual([photos]);
});

test('a concept is added behind the others, opened, and removed again', async () => {
  const { addConcept, removeConcept, useView, form } = await open();
  addConcept();
  expect(form().concepts).toEqual([photos, emptyConcept]);
  expect(useView.getState().open).toBe(1);
  removeConcept(0);
  expect(form().concepts).toEqual([emptyConcept]);
  expect(notified[0]?.title).toBe('nova woman is removed');
  notified[0]?.action?.run();
  expect(form().concepts).toEqual([photos, emptyConcept]);
});
