import { ipcMain, webContents, type IpcMainInvokeEvent } from 'electron';
import {
  broadcasts,
  contract,
  type Broadcast,
  type BroadcastPayload,
  type Channel,
} from '../shared/contract';
import { err, type Result } from '../shared/result';
import { answer, type Handlers } from './ipc-answer';
import { isAppUrl } from './security/origin';
import type { Log } from './services/log';

/** The only file that talks to `ipcMain` and sends to windows. */

export function handleAll(handlers: Handlers, log: Log): void {
  for (const channel of Object.keys(contract) as Channel[])
    ipcMain.handle(channel, (event, request: unknown): Promise<Result<unknown>> => {
      if (isTrusted(event)) return answer(handlers, channel, request, log);
      log.error(`${channel}: refused a call from ${event.senderFrame?.url ?? 'a closed frame'}`);
      return Promise.resolve(err('forbidden', 'This page may not do that.'));
    });
}

/** Only the top frame of one of our own pages may call. */
const isTrusted = ({ senderFrame }: IpcMainInvokeEvent): boolean =>
  senderFrame !== null && senderFrame.parent === null && isAppUrl(senderFrame.url);

/** Tells every window. */
export function broadcast<B extends Broadcast>(name: B, payload: BroadcastPayload<B>): void {
  const checked = broadcasts[name].parse(payload);
  for (const contents of webContents.getAllWebContents())
    if (!contents.isDestroyed() && isAppUrl(contents.getURL())) contents.send(name, checked);
}
