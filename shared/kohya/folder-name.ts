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

/** Names are the same to Windows and macOS whatever their case. */
export const isSameName = (one: string, other: string): boolean =>
  one.normalize('NFC').toLowerCase() === other.normalize('NFC').toLowerCase();

/**
 * The bytes that one prompt may take in UTF-8. Two of them and the repeats stay below the 255 bytes that Linux allows a
 * name, with room for what a file's own path needs on Windows.
 */
const MOST_BYTES = 100;

// Lone surrogates too: they cannot be written as UTF-8.
const forbidden = /[<>:"/\\|?*\p{Cc}\p{Cs}\u2028\u2029]/gu;

/** A prompt as it can be part of a folder's name. */
export interface MendedPrompt {
  /** Empty when nothing of the prompt can be kept. */
  readonly prompt: string;
  /** Why it is not what was typed, as parts of a sentence; empty when it is. Blanks around it do not count. */
  readonly reasons: readonly string[];
}

/**
 * Windows forbids some characters, and dots and blanks at the end. Its reserved names, such as CON, are none behind
 * `<repeats>_`.
 */
export function mendPrompt(typed: string): MendedPrompt {
  const reasons: string[] = [];
  const plain = typed.normalize('NFC').trim();
  const found = [...new Set(plain.match(forbidden) ?? [])];
  const shown = found.filter((character) => !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(character));
  if (shown.length > 0) reasons.push(`cannot hold ${shown.join(' ')}`);
  if (shown.length < found.length) reasons.push('cannot hold control characters');
  const spaced = plain
    .replace(
      /\s*[<>:"/\\|?*\p{Cc}\p{Cs}\u2028\u2029][\s<>:"/\\|?*\p{Cc}\p{Cs}\u2028\u2029]*/gu,
      ' ',
    )
    .trim();
  const short = shorten(spaced);
  if (short !== spaced) reasons.push('cannot be so long');
  const mended = short.replace(/[.\s]+$/u, '');
  if (mended !== short.trimEnd()) reasons.push('cannot end in a dot');
  return { prompt: mended, reasons };
}

/** Whole characters, as many as fit. */
function shorten(text: string): string {
  let bytes = 0;
  let kept = '';
  for (const character of text) {
    bytes += bytesIn(character);
    if (bytes > MOST_BYTES) return kept;
    kept += character;
  }
  return kept;
}

function bytesIn(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/** The caption of a subject's pictures: instance prompt and class, as a folder's name can hold them. */
export const joinPrompts = (instancePrompt: string, classPrompt: string): string =>
  `${mendPrompt(instancePrompt).prompt} ${mendPrompt(classPrompt).prompt}`;
