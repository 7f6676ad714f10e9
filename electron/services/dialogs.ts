import { dialog, type BrowserWindow, type OpenDialogOptions } from 'electron';
import type { Request, Response } from '../../shared/contract';

const properties: Record<
  Request<'dialog:choose'>['kind'],
  Pick<OpenDialogOptions, 'properties' | 'filters'>
> = {
  folder: { properties: ['openDirectory', 'createDirectory'] },
  checkpoint: {
    properties: ['openFile'],
    filters: [
      { name: 'Checkpoints', extensions: ['safetensors'] },
      { name: 'All files', extensions: ['*'] },
    ],
  },
};

export async function choosePath(
  window: BrowserWindow,
  { kind, title, startIn }: Request<'dialog:choose'>,
): Promise<Response<'dialog:choose'>> {
  const { canceled, filePaths } = await dialog.showOpenDialog(window, {
    title,
    ...(startIn === '' ? {} : { defaultPath: startIn }),
    ...properties[kind],
  });
  return { path: canceled ? null : (filePaths[0] ?? null) };
}
