/** The console's text as lines, capped, with carriage returns obeyed as a terminal does. */

const MAX_LINES = 2000;

/** What a line shows after its carriage returns: the last thing that was written over it. */
const afterReturns = (line: string): string =>
  line.slice(line.replace(/\r+$/u, '').lastIndexOf('\r') + 1).replace(/\r+$/u, '');

/**
 * The lines after `chunk` arrived. The last line is the unfinished one, kept raw because a carriage return may still
 * follow; the oldest lines go when there are more than `limit`.
 */
export function appendConsole(
  lines: readonly string[],
  chunk: string,
  limit = MAX_LINES,
): readonly string[] {
  if (chunk === '') return lines;
  const unfinished = lines.at(-1) ?? '';
  const fresh = (unfinished + chunk).split('\n');
  const last = fresh.pop() ?? '';
  const whole = [...lines.slice(0, -1), ...fresh.map(afterReturns)];
  return [...whole.slice(Math.max(0, whole.length - limit + 1)), last];
}

export const consoleText = (lines: readonly string[]): string =>
  [...lines.slice(0, -1), afterReturns(lines.at(-1) ?? '')].join('\n');
