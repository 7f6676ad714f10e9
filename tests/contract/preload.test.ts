import { beforeEach, expect, test, vi } from 'vitest';
import { broadcasts, contract, type Api } from '../../shared/contract';

const electron = vi.hoisted(() => ({
  exposed: new Map<string, unknown>(),
  invoke: vi.fn(() => Promise.resolve({ ok: true, value: null })),
  listeners: new Map<string, Set<(event: unknown, payload: unknown) => void>>(),
}));

vi.mock('electron', () => ({
  contextBridge: {
    exposeInMainWorld: (name: string, value: unknown) => electron.exposed.set(name, value),
  },
  ipcRenderer: {
    invoke: electron.invoke,
    on: (name: string, listener: (event: unknown, payload: unknown) => void) => {
      electron.listeners.set(name, (electron.listeners.get(name) ?? new Set()).add(listener));
    },
    removeListener: (name: string, listener: (event: unknown, payload: unknown) => void) =>
      electron.listeners.get(name)?.delete(listener),
  },
  webUtils: { getPathForFile: (file: { name: string }) => `/dropped/${file.name}` },
}));

let api: Api;

beforeEach(async () => {
  vi.resetModules();
  electron.exposed.clear();
  electron.listeners.clear();
  electron.invoke.mockClear();
  await import('../../electron/preload');
  api = electron.exposed.get('api') as Api;
});

test('the page gets `api` and nothing else, in the contract’s shape', () => {
  expect([...electron.exposed.keys()]).toEqual(['api']);
  expect(Object.keys(api).sort()).toEqual(['invoke', 'on', 'pathOf']);
  expect(Object.keys(api.invoke)).toEqual(Object.keys(contract));
  expect(Object.keys(api.on)).toEqual(Object.keys(broadcasts));
});

test('a call goes out on its own channel with one argument', async () => {
  const call = api.invoke['datasets:folderOf'] as (...args: unknown[]) => Promise<unknown>;
  await call({ path: '/x' }, 'extra', 'arguments');
  expect(electron.invoke).toHaveBeenCalledExactlyOnceWith('datasets:folderOf', { path: '/x' });
});

test('a listener gets the payload alone, until it unsubscribes', () => {
  const heard: unknown[][] = [];
  const unsubscribe = api.on['environment:changed']((...args) => heard.push(args));
  const tell = () => {
    for (const listener of electron.listeners.get('environment:changed') ?? [])
      listener({ sender: 'secret' }, { kind: 'ready' });
  };
  tell();
  unsubscribe();
  tell();
  expect(heard).toEqual([[{ kind: 'ready' }]]);
});

test('a dropped file has a path', () => {
  expect(api.pathOf({ name: 'photo.png' })).toBe('/dropped/photo.png');
});
