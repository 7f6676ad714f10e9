import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ImageInfo } from '../../../shared/dataset-answers';
import { ok } from '../../../shared/result';

const image: ImageInfo = {
  id: '1',
  name: 'a.png',
  path: '/one/a.png',
  bytes: 1,
  facts: { width: 8, height: 8, format: 'png', problem: null },
  edit: null,
  caption: 'before',
};

async function open() {
  vi.resetModules();
  const write = vi.fn(({ text }: { text: string }) => Promise.resolve(ok({ caption: text })));
  const update = vi.fn((_patch: unknown) => Promise.resolve(ok(null)));
  const scan = ({ folder }: { folder: string }) =>
    Promise.resolve(ok({ folder, images: folder === '/one' ? [image] : [] }));
  vi.stubGlobal('window', {
    api: {
      invoke: { 'captions:write': write, 'datasets:scan': scan, 'settings:update': update },
    },
    addEventListener: () => undefined,
    setTimeout,
    clearTimeout,
  });
  const captions = await import('../../../renderer/tabs/captioning/store');
  const project = await import('../../../renderer/app/project');
  const { persistSettings } = await import('../../../renderer/app/persist');
  return { write, update, ...captions, ...project, saveSettings: persistSettings() };
}

describe('what was typed last', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('is saved when another folder takes the place of its picture', async () => {
    const { write, editCaptioning, readFolder, draftCaption, useCaptioning } = await open();
    editCaptioning({ image_dir: '/one' });
    await readFolder();
    draftCaption(image.path, 'half a sentence');
    editCaptioning({ image_dir: '/two' });
    await readFolder();
    expect(write).toHaveBeenCalledWith(
      expect.objectContaining({ imageId: '1', text: 'half a sentence' }),
    );
    expect(useCaptioning.getState()).toMatchObject({ folder: '/two', images: [], drafts: {} });
  });

  it('is saved at once when the app leaves', async () => {
    const { update, editDataset, saveSettings } = await open();
    editDataset({ destination: '/project' });
    expect(update).not.toHaveBeenCalled();
    await saveSettings();
    expect(update.mock.calls[0]?.[0]).toMatchObject({
      project: { dataset: { destination: '/project' } },
    });
    await saveSettings();
    expect(update).toHaveBeenCalledTimes(1);
  });
});
