import { dialog, type BrowserWindow, type OpenDialogOptions } from 'electron';
import type { Request, Response } from '../../shared/contract';
import type { ConfigKind } from '../../shared/kohya/config-kinds';
import { trainedExtensions } from './pictures';

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

export async function chooseImages(
  window: BrowserWindow,
  { kind, title, startIn }: Request<'dialog:chooseImages'>,
): Promise<Response<'dialog:chooseImages'>> {
  const { canceled, filePaths } = await dialog.showOpenDialog(window, {
    title,
    ...(startIn === '' ? {} : { defaultPath: startIn }),
    properties: [kind === 'folders' ? 'openDirectory' : 'openFile', 'multiSelections'],
    ...(kind === 'pictures' && {
      filters: [
        { name: 'Pictures', extensions: trainedExtensions },
        { name: 'All files', extensions: ['*'] },
      ],
    }),
  });
  return { paths: canceled ? [] : filePaths };
}

const kindNames: Record<ConfigKind, string> = { json: 'Kohya JSON', toml: 'sd-scripts TOML' };

/** The dialog asks before a file is replaced. Null when it was cancelled. */
export async function chooseConfigPlace(
  window: BrowserWindow,
  kind: ConfigKind,
  suggested: string,
): Promise<string | null> {
  const { canceled, filePath } = await dialog.showSaveDialog(window, {
    title: `Save as ${kindNames[kind]}`,
    defaultPath: suggested,
    filters: [{ name: kindNames[kind], extensions: [kind] }],
    properties: ['showOverwriteConfirmation', 'createDirectory'],
  });
  return canceled || filePath === '' ? null : filePath;
}
