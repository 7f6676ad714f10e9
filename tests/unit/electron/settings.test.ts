import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SettingsService } from '../../../electron/services/settings';
import { migrate } from '../../../electron/services/settings-migrations';
import { emptyProject, settingsVersion, withModel, type Settings } from '../../../shared/settings';
import { recordingLog } from '../../fakes/recording-log';
import { tempFolder } from '../../fakes/temp-folder';

const initial: Settings = {
  schemaVersion: settingsVersion,
  theme: 'system',
  lastTab: 'dataset',
  project: emptyProject,
};

const openIn = (folder: string) =>
  SettingsService.open({
    path: join(folder, 'settings.json'),
    initial: () => Promise.resolve(initial),
    log: recordingLog(),
  });

test('changes are there after a restart', async () => {
  const folder = await tempFolder();
  const first = await openIn(folder);
  await Promise.all([first.update({ theme: 'dark' }), first.update({ lastTab: 'training' })]);
  expect((await openIn(folder)).get()).toEqual({ ...initial, theme: 'dark', lastTab: 'training' });
  expect(await readdir(folder)).toEqual(['settings.json']);
});

test('what an earlier version did not keep is left to its default, and a later change of it is kept', async () => {
  const folder = await tempFolder();
  await writeFile(join(folder, 'settings.json'), JSON.stringify(initial));
  const service = await openIn(folder);
  expect(service.setAside).toBeNull();
  await service.update({
    parameterView: 'all',
    planFolded: true,
    recentModels: ['/m/a.safetensors'],
  });
  await service.update({ theme: 'dark' });
  expect((await openIn(folder)).get()).toMatchObject({
    parameterView: 'all',
    planFolded: true,
    recentModels: ['/m/a.safetensors'],
  });
});

test('the models used lately are few, each once, the newest first', () => {
  expect(withModel(['a', 'b'], 'b')).toEqual(['b', 'a']);
  const many = Array.from({ length: 8 }, (_, index) => String(index));
  expect(withModel(many, 'new')).toEqual(['new', ...many.slice(0, 7)]);
});

test('a first start writes nothing and begins with what it is given', async () => {
  const folder = await tempFolder();
  expect((await openIn(folder)).get()).toEqual(initial);
  expect(await readdir(folder)).toEqual([]);
});

test.each([
  ['cut in half', '{"schemaVersion":1,"theme":"da'],
  ['of another shape', '{"schemaVersion":1,"theme":"pink"}'],
  ['of a newer version', '{"schemaVersion":99}'],
])('a file %s is set aside, not lost', async (_name, text) => {
  const folder = await tempFolder();
  await writeFile(join(folder, 'settings.json'), text);
  const service = await openIn(folder);
  expect(service.get()).toEqual(initial);
  const [aside = '', ...others] = await readdir(folder);
  expect(others).toEqual([]);
  expect(aside).toMatch(/^settings\.broken-.+\.json$/u);
  expect(service.setAside).toBe(join(folder, aside));
  expect(await readFile(join(folder, aside), 'utf8')).toBe(text);
});

test('settings that cannot be written say so and stay in use', async () => {
  const folder = await tempFolder();
  const service = await openIn(folder);
  // A folder in the file's place: no user, not even root, can replace it.
  await mkdir(join(folder, 'settings.json', 'in the way'), { recursive: true });
  await expect(service.update({ theme: 'dark' })).rejects.toThrow();
  expect(service.get().theme).toBe('dark');
  expect(await readdir(folder)).toEqual(['settings.json']);
});

test('migrations run in order, each once', () => {
  const chain = {
    1: (settings: Record<string, unknown>) => ({ ...settings, trail: ['one'] }),
    2: (settings: Record<string, unknown>) => ({ ...settings, trail: [settings['trail'], 'two'] }),
  };
  expect(migrate({ schemaVersion: 1 }, chain, 3)).toEqual({
    schemaVersion: 3,
    trail: [['one'], 'two'],
  });
  expect(migrate({ schemaVersion: 3 }, chain, 3)).toEqual({ schemaVersion: 3 });
  expect(() => migrate({ schemaVersion: 0 }, chain, 3)).toThrow('does not know');
  expect(() => migrate({}, chain, 3)).toThrow('no version');
});
