import { join } from 'node:path';
import { app, dialog, nativeTheme, type BrowserWindow } from 'electron';
import { createHandlers, describeApp } from './handlers';
import { broadcast, handleAll } from './ipc';
import { locate } from './lib/locations';
import { isFallbackRuntime } from './lib/runtime';
import { installMenu } from './menu';
import { quitInOrder } from './quit';
import { registerSchemes, serveSchemes } from './schemes';
import { enforcePolicies } from './security/enforce';
import { openFolder } from './security/external';
import { createServices, type Services } from './services';
import { LastSave } from './services/last-save';
import { createFileLog, type Log } from './services/log';
import { WindowStateStore } from './services/window-state';
import { openWindow } from './window';

/** The only place where things are wired together. */

const userDataOverride = app.commandLine.getSwitchValue('user-data-dir');
if (userDataOverride !== '') app.setPath('userData', userDataOverride);
const userData = app.getPath('userData');
app.setAppLogsPath(join(userData, 'logs'));

// As root Chromium only starts with --no-sandbox, and forcing the sandbox then ends every page.
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();

if (app.requestSingleInstanceLock()) {
  registerSchemes();
  void app.whenReady().then(start).catch(failToStart);
} else app.exit(0);

async function start(): Promise<void> {
  const logFolder = app.getPath('logs');
  const log = createFileLog(logFolder);
  logUnexpected(log);
  const locations = locate(app.getAppPath());
  const services = await createServices({
    locations,
    userData,
    appVersion: app.getVersion(),
    log,
    broadcast,
  });
  enforcePolicies();
  serveSchemes({
    renderer: locations.renderer,
    thumbnail: (id) => services.thumbnails.find(id),
    largeViews: services.largeViews,
    samples: services.samples,
  });
  followTheme(services);

  let window: BrowserWindow | null = null;
  const lastSave = new LastSave(() => broadcast('app:leaving', null));
  const fallbackRuntime = await isFallbackRuntime(locations.dataFolder);
  handleAll(
    createHandlers({
      services,
      window: () => window,
      info: describeApp(locations.dataFolder, logFolder, fallbackRuntime),
      onTheme: () => followTheme(services),
      onSaved: lastSave.answered,
    }),
    log,
  );
  const failedToShow = logFailure(log, 'Help, Open log folder');
  installMenu({ openLogFolder: () => void openFolder(logFolder).catch(failedToShow) });
  // A long history takes a while to read; the window does not wait for it.
  void services.jobs.attachAll().catch(logFailure(log, 'Earlier runs'));
  services.worker.start();
  services.pictureWorker.start();

  const windowState = new WindowStateStore(join(userData, 'window.json'), log);
  quitInOrder({
    window: () => window,
    running: () => services.jobs.running().map(({ kind }) => kind),
    savePage: () => lastSave.request(),
    endJobs: (wish) => services.jobs.endAll(wish),
    dispose: async () => {
      services.jobs.dispose();
      services.worker.dispose();
      services.pictureWorker.dispose();
      await Promise.all([
        services.preparation.cancel(),
        services.settings.flush(),
        windowState.flush(),
      ]);
    },
  });
  window = await openWindow(join(__dirname, 'preload.cjs'), windowState);
  app.on('second-instance', () => focus(window));
  tellSetAside(window, services.settings.setAside);
}

function followTheme(services: Services): void {
  nativeTheme.themeSource = services.settings.get().theme;
}

function focus(window: BrowserWindow | null): void {
  if (window?.isMinimized()) window.restore();
  window?.focus();
}

function tellSetAside(window: BrowserWindow, setAside: string | null): void {
  if (setAside === null) return;
  void dialog.showMessageBox(window, {
    type: 'warning',
    message: 'The settings could not be read, so LoRA Atelier starts with new ones.',
    detail: `Nothing is lost: the old file is now ${setAside}`,
  });
}

function logUnexpected(log: Log): void {
  process.on('uncaughtException', (error) => log.error('Uncaught exception', error));
  process.on('unhandledRejection', (reason) => log.error('Unhandled rejection', reason));
}

const logFailure = (log: Log, what: string) => (error: unknown) => log.error(what, error);

function failToStart(error: unknown): void {
  dialog.showErrorBox(
    'LoRA Atelier could not start',
    error instanceof Error ? error.message : String(error),
  );
  app.exit(1);
}
