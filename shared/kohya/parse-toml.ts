import { parse, TomlError } from 'smol-toml';
import { ProblemError } from '../result';

/** Reads a TOML document. @throws ProblemError `toml_broken` with line and column */
export function parseToml(text: string, name: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text.replace(/^\uFEFF/u, ''));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = ''] = error.message.split('\n');
    throw new ProblemError(
      'toml_broken',
      `${name} is not whole TOML: it breaks at line ${String(error.line)}, column ${String(error.column)}.`,
      reason,
    );
  }
}
