/** Kohya's folder names: `<repeats>_<prompt>`. The prompt is the caption of pictures that have none. */

export interface FolderName {
  readonly repeats: number;
  readonly prompt: string;
}

export const makeFolderName = ({ repeats, prompt }: FolderName): string =>
  `${String(repeats)}_${prompt}`;

/** Null when Kohya would not take a folder of this name for training. */
export function parseFolderName(name: string): FolderName | null {
  const [, repeats, prompt] = /^(\d+)_(.+)$/u.exec(name) ?? [];
  return repeats === undefined || prompt === undefined
    ? null
    : { repeats: Number(repeats), prompt };
}

/** The caption of a subject's pictures: instance prompt and class. */
export const joinPrompts = (instancePrompt: string, classPrompt: string): string =>
  `${instancePrompt.trim()} ${classPrompt.trim()}`;

/** The first character of a prompt that some system does not allow in a folder's name; null when all are fine. */
export function illegalCharacter(prompt: string): string | null {
  const [illegal] = /[<>:"/\\|?*\u0000-\u001f]/u.exec(prompt) ?? [];
  return illegal ?? (prompt.trim().endsWith('.') ? '.' : null);
}
