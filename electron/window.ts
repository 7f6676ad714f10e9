import { app, BrowserWindow } from 'electron';
import { START_PAGE } from './security/origin';
import type { WindowStateStore } from './services/window-state';

const DEFAULT_SIZE = { width: 1280, height: 860 };

/** Made hidden and shown once it has something to show. */
export async function openWindow(preload: string, store: WindowStateStore): Promise<BrowserWindow> {
  const { bounds, isMaximized } = await store.read();
  const window = new BrowserWindow({
    ...(bounds ?? DEFAULT_SIZE),
    minWidth: 900,
    minHeight: 600,
    show: false,
    title: 'LoRA Atelier',
    webPreferences: { preload },
  });
  if (isMaximized) window.maximize();
  store.follow(window);
  // Closing the window is quitting, which may be thought better of: the window stays until then.
  window.on('close', (event) => {
    event.preventDefault();
    app.quit();
  });
  window.once('ready-to-show', () => window.show());
  await window.loadURL(START_PAGE);
  return window;
}
