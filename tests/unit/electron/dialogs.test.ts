import type { BrowserWindow, OpenDialogReturnValue } from 'electron';
import { beforeEach, expect, test, vi } from 'vitest';
import { choosePath } from '../../../electron/services/dialogs';
import { contract, type Request } from '../../../shared/contract';

const show = vi.hoisted(() => vi.fn<() => Promise<OpenDialogReturnValue>>());
vi.mock('electron', () => ({ dialog: { showOpenDialog: show } }));

const window = Object.create(null) as BrowserWindow;

beforeEach(() => {
  show.mockReset();
  show.mockResolvedValue({ canceled: false, filePaths: ['/d/a.toml'] });
});

const choose = (request: Request<'dialog:choose'>) =>
  choosePath(window, contract['dialog:choose'].request.parse(request));

test('a file is looked for by its extensions, with a way to see all', async () => {
  const answer = await choose({ kind: 'file', title: 'T', startIn: '/d', extensions: ['toml'] });
  expect(answer).toEqual({ path: '/d/a.toml' });
  expect(show).toHaveBeenCalledWith(window, {
    title: 'T',
    defaultPath: '/d',
    properties: ['openFile'],
    filters: [
      { name: '.toml', extensions: ['toml'] },
      { name: 'All files', extensions: ['*'] },
    ],
  });
});

test('a folder has no extensions, and may be made', async () => {
  show.mockResolvedValue({ canceled: true, filePaths: [] });
  expect(await choose({ kind: 'folder', title: 'T', startIn: '' })).toEqual({ path: null });
  expect(show).toHaveBeenCalledWith(window, {
    title: 'T',
    properties: ['openDirectory', 'createDirectory'],
  });
});

test.each([
  { kind: 'file', title: 'T', startIn: '', extensions: [] },
  { kind: 'file', title: 'T', startIn: '', extensions: ['../x'] },
  { kind: 'file', title: 'T', startIn: '' },
  { kind: 'folder', title: 'T', startIn: '', extensions: ['toml'] },
  { kind: 'drive', title: 'T', startIn: '' },
])('%j is not asked for', (request) => {
  expect(contract['dialog:choose'].request.safeParse(request).success).toBe(false);
});
