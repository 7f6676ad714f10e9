import { ProblemError } from '../result';

/** Reads a JSON object. @throws ProblemError `json_broken` with line and column, `not_a_config` */
export function parseJson(text: string, name: string): Readonly<Record<string, unknown>> {
  const json = text.replace(/^\uFEFF/u, '');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    const { line, column } = locate(json, error);
    throw new ProblemError(
      'json_broken',
      `${name} is not whole JSON: it breaks at line ${String(line)}, column ${String(column)}.`,
      'The file may have been cut off or edited by hand; save it again.',
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new ProblemError('not_a_config', `${name} holds no training parameters.`);
}

/** Engines name the position, except at the end of the text. */
function locate(json: string, error: unknown): { readonly line: number; readonly column: number } {
  const [, position] = /position (\d+)/u.exec(String(error)) ?? [];
  const before = json.slice(0, position === undefined ? json.length : Number(position)).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}
