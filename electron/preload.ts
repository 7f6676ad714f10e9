import { contextBridge, ipcRenderer, webUtils, type IpcRendererEvent } from 'electron';
import { broadcasts, contract } from '../shared/contract';

/** Gives the page `window.api`: one function a channel, one subscription a broadcast. */

const invoke = Object.fromEntries(
  Object.keys(contract).map((channel) => [
    channel,
    (request: unknown) => ipcRenderer.invoke(channel, request),
  ]),
);

const on = Object.fromEntries(
  Object.keys(broadcasts).map((name) => [
    name,
    (listener: (payload: unknown) => void) => {
      const deliver = (_event: IpcRendererEvent, payload: unknown): void => listener(payload);
      ipcRenderer.on(name, deliver);
      return () => {
        ipcRenderer.removeListener(name, deliver);
      };
    },
  ]),
);

const pathOf = (file: object): string =>
  webUtils.getPathForFile(file as Parameters<typeof webUtils.getPathForFile>[0]);

contextBridge.exposeInMainWorld('api', { invoke, on, pathOf });
