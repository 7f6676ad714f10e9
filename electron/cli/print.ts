import type { Problem } from '../../shared/result';

export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const printAside = (text: string): void => void process.stderr.write(`${text}\n`);

export function printProblem(label: string, { message, hint }: Problem): void {
  printAside(`${label}: ${message}`);
  if (hint !== undefined) printAside(`  ${hint.replaceAll('\n', '\n  ')}`);
}

/** Seconds as 1:02:03 or 2:03. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const [first = 0, ...rest] = parts[0] === 0 ? parts.slice(1) : parts;
  return [String(first), ...rest.map((part) => String(part).padStart(2, '0'))].join(':');
}
