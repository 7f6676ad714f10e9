import { dialog, type BrowserWindow, type OpenDialogOptions } from 'electron';
import type { Request, Response } from '../../shared/contract';

type Choice = Request<'dialog:choose'>;

const optionsOf = (choice: Choice): Pick<OpenDialogOptions, 'properties' | 'filters'> =>
  choice.kind === 'folder'
    ? { properties: ['openDirectory', 'createDirectory'] }
    : {
        properties: ['openFile'],
        filters: [
          {
            name: choice.extensions.map((extension) => `.${extension}`).join(', '),
            extensions: [...choice.extensions],
          },
          { name: 'All files', extensions: ['*'] },
        ],
      };

export async function choosePath(
  window: BrowserWindow,
  choice: Choice,
): Promise<Response<'dialog:choose'>> {
  const { canceled, filePaths } = await dialog.showOpenDialog(window, {
    title: choice.title,
    ...(choice.startIn === '' ? {} : { defaultPath: choice.startIn }),
    ...optionsOf(choice),
  });
  return { path: canceled ? null : (filePaths[0] ?? null) };
}
