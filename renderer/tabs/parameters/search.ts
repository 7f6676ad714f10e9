import {
  parameterKeys,
  parameters,
  type ParameterKey,
  type ParameterRow,
} from '../../../shared/parameters';
import { trainerOptions } from '../../../shared/kohya/trainer-options';

/** Finds parameters by what guides call them: labels, kohya_ss's and sd-scripts' keys, and words of the help. */

/** Of one length with the text, so that places in one are places in the other. */
const fold = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[_-]/gu, ' ')
    .replace(/isation/gu, 'ization');

/** Every name of a parameter: our key first, then those of kohya_ss and sd-scripts that differ from it. */
export const namesOf: ReadonlyMap<ParameterKey, readonly string[]> = new Map(
  parameterKeys.map((key) => {
    const { kohyaKey }: ParameterRow = parameters[key];
    const options = trainerOptions.flatMap((part) =>
      Object.entries(part.options).flatMap(([name, fate]) =>
        fate.kind === 'done' && fate.by.includes(key) ? [name] : [],
      ),
    );
    const names = [key, ...(kohyaKey === undefined ? [] : [kohyaKey]), ...options];
    return [key, [...new Set<string>(names)]];
  }),
);

const searched = parameterKeys.map((key) => {
  const { label, help, words = '' }: ParameterRow = parameters[key];
  const called = [label, ...(namesOf.get(key) ?? [])].map(fold);
  return { key, called, all: [...called, fold(help), fold(words)].join('\n') };
});

const wordsOf = (query: string): string[] =>
  fold(query)
    .split(/\s+/u)
    .filter((word) => word !== '');

export interface Hits {
  readonly keys: ReadonlySet<ParameterKey>;
  /** The one that is most likely meant: called so, else with a name that has it, else the first. */
  readonly best: ParameterKey | null;
  /** What was looked for, as `marks` takes it. */
  readonly words: readonly string[];
}

/** The parameters that have every word of the query somewhere; null for an empty one. */
export function search(query: string): Hits | null {
  const words = wordsOf(query);
  if (words.length === 0) return null;
  const found = searched.filter(({ all }) => words.every((word) => all.includes(word)));
  const whole = words.join(' ');
  const best =
    found.find(({ called }) => called.includes(whole)) ??
    found.find(({ called }) => called.some((name) => name.includes(whole))) ??
    found[0];
  return { keys: new Set(found.map(({ key }) => key)), best: best?.key ?? null, words };
}

interface Piece {
  readonly text: string;
  readonly hit: boolean;
}

/** The text in pieces, those that hold one of the words marked. */
export function marks(text: string, words: readonly string[]): Piece[] {
  const folded = fold(text);
  const isHit = Array.from(text, () => false);
  for (const word of words)
    for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + 1))
      isHit.fill(true, at, at + word.length);
  const pieces: Piece[] = [];
  for (const [index, hit] of isHit.entries()) {
    const last = pieces.at(-1);
    const letter = text.charAt(index);
    if (last?.hit === hit) pieces[pieces.length - 1] = { text: last.text + letter, hit };
    else pieces.push({ text: letter, hit });
  }
  return pieces;
}
