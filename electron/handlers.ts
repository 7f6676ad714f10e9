import { app, type BrowserWindow } from 'electron';
import type { AppInfo } from '../shared/contract';
import { ProblemError } from '../shared/result';
import type { Handlers } from './ipc-answer';
import { openFolder, revealInFolder } from './security/external';
import type { Services } from './services';
import { rootOf } from './services/balancing';
import { bucketPhotos } from './services/bucket-photos';
import { openConfig, saveConfig } from './services/config-files';
import { chooseConfigPlace, chooseImages, choosePath } from './services/dialogs';
import { sortDropped } from './services/dropped';
import { modelsBeside } from './services/models';
import { bucketParametersOf } from './services/sample-project';
import { runSpeeds } from './services/run-speeds';

export interface HandlerOptions {
  readonly services: Services;
  readonly window: () => BrowserWindow | null;
  readonly info: AppInfo;
  readonly onTheme: () => void;
  /** The page has saved what it was asked to. */
  readonly onSaved: () => void;
}

/** What each channel does. */
export function createHandlers({
  services,
  window,
  info,
  onTheme,
  onSaved,
}: HandlerOptions): Handlers {
  const { settings, presets, datasets, preparation, datasetFolders, jobs, worker } = services;
  const parent = (): BrowserWindow => {
    const open = window();
    if (open === null) throw new ProblemError('no_window', 'The window is closed.');
    return open;
  };
  return {
    'app:info': () => info,
    'app:openLogFolder': async () => {
      await openFolder(info.logFolder);
      return null;
    },
    'app:saved': () => {
      onSaved();
      return null;
    },
    'settings:get': () => settings.get(),
    'settings:update': async (patch) => {
      const updated = await settings.update(patch);
      onTheme();
      return updated;
    },
    'presets:list': () => presets.list(),
    'presets:save': (request) => presets.save(request),
    'presets:rename': ({ id, name }) => presets.rename(id, name),
    'presets:delete': async ({ id }) => {
      await presets.delete(id);
      return null;
    },
    'dialog:choose': (request) => choosePath(parent(), request),
    'dialog:chooseImages': (request) => chooseImages(parent(), request),
    'config:open': ({ path }) => openConfig(path),
    'config:save': ({ draft, kind }) =>
      saveConfig(draft, kind, (suggested) => chooseConfigPlace(parent(), kind, suggested)),
    'datasets:folderOf': async ({ path }) => ({ folder: await datasets.folderOf(path) }),
    'datasets:scan': ({ folder, captionExtension }) => datasets.scan(folder, captionExtension),
    'datasets:editPicture': ({ imageId, captionExtension, edit }) =>
      datasets.editPicture(imageId, captionExtension, edit),
    'datasets:planPreparation': (form) => preparation.plan(form),
    'datasets:prepare': (form) => preparation.prepare(form),
    'datasets:sortDropped': ({ paths }) => sortDropped(paths),
    'datasets:undo': ({ folder, id }) => preparation.undo(rootOf(folder), id),
    'datasets:setAside': async ({ destination, folders }) => {
      await datasetFolders.setAside(destination, folders);
      return null;
    },
    'datasets:renameFolder': async ({ destination, from, to }) => {
      await datasetFolders.rename(destination, from, to);
      return null;
    },
    'datasets:planBalance': ({ folder, steps }) => datasetFolders.planBalance(folder, steps),
    'datasets:balance': async ({ folder, steps }) => ({
      renamed: await datasetFolders.balance(folder, steps),
    }),
    'datasets:cancelPreparation': async () => {
      await preparation.cancel();
      return null;
    },
    'captions:write': async ({ imageId, captionExtension, text }) => ({
      caption: await datasets.writeCaption(imageId, captionExtension, text),
    }),
    'plan:make': (config) => worker.ask('plan', { config, concepts: null }),
    'plan:places': ({ draft, sizes }) =>
      worker.ask('place', { config: bucketParametersOf(draft), sizes }),
    'plan:memory': (question) => worker.ask('memory', question),
    'plan:bucket': async (question) =>
      bucketPhotos(await worker.ask('bucket', question), services.thumbnails),
    'plan:speeds': async () => runSpeeds(await jobs.listAll(), (jobId) => jobs.configOf(jobId)),
    'model:beside': async ({ path }) => ({ paths: await modelsBeside(path) }),
    'model:identify': ({ path }) => worker.ask('identify', { path }),
    'captioner:identify': ({ path }) => worker.ask('captioner', { path }),
    'lora:inspect': ({ jobId, path }) => worker.ask('inspect', { path: jobs.pathOf(jobId, path) }),
    'environment:probe': () => worker.ask('probe', {}),
    'environment:status': () => worker.status,
    'jobs:start': (request) => jobs.start(request),
    'jobs:stop': async ({ jobId, force }) => {
      await jobs.stop(jobId, force);
      return null;
    },
    'jobs:control': async ({ jobId, wish }) => {
      await jobs.control(jobId, wish);
      return null;
    },
    'jobs:resume': ({ jobId }) => jobs.resume(jobId),
    'jobs:config': ({ jobId }) => jobs.configOf(jobId),
    'jobs:list': () => jobs.listAll(),
    'jobs:get': ({ jobId }) => jobs.get(jobId),
    'jobs:console': ({ jobId, offset }) => jobs.console(jobId, offset),
    'jobs:reveal': ({ jobId, path }) => {
      revealInFolder(jobs.pathOf(jobId, path));
      return null;
    },
  };
}

/** What the app can tell about itself. */
export const describeApp = (
  dataFolder: string,
  logFolder: string,
  fallbackRuntime: boolean,
): AppInfo => ({
  version: app.getVersion(),
  electron: process.versions.electron,
  fallbackRuntime,
  dataFolder,
  logFolder,
});
