import { expect, it } from 'vitest';
import { appendConsole, consoleText } from '../../../renderer/tabs/training/console-text';

const read = (chunks: readonly string[], limit?: number) =>
  consoleText(chunks.reduce<readonly string[]>((lines, c) => appendConsole(lines, c, limit), []));

it('joins a line that came in pieces', () => {
  expect(read(['hel', 'lo\nwor', 'ld\n'])).toBe('hello\nworld\n');
});

it('shows the last state of a progress bar, as a terminal does', () => {
  expect(read(['10 %\r', '20 %\r', '30 %'])).toBe('30 %');
  expect(read(['10 %\r20 %\r\nnext'])).toBe('20 %\nnext');
});

it('keeps Windows line ends from doubling', () => {
  expect(read(['one\r\ntwo\r\n'])).toBe('one\ntwo\n');
});

it('drops the oldest lines beyond its limit', () => {
  const many = Array.from({ length: 100 }, (_, index) => `line ${index}\n`);
  expect(read(many, 4)).toBe('line 97\nline 98\nline 99\n');
});

it('changes nothing for nothing', () => {
  const lines = appendConsole([], 'a\n');
  expect(appendConsole(lines, '')).toBe(lines);
});
