import { dialog, type BrowserWindow, type OpenDialogOptions } from 'electron';
import type { Request, Response } from '../../shared/contract';
import type { ConfigKind } from '../../shared/kohya/config-kinds';

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
