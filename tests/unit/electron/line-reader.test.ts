import { expect, test } from 'vitest';
import { LineReader } from '../../../electron/lib/line-reader';

const text = 'first\nzweite Zeile: äöü €\n😀 third\n\nlast\r\n';
const lines = ['first', 'zweite Zeile: äöü €', '😀 third', 'last'];

test('lines are the same however the bytes are cut', () => {
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size += 1) {
    const reader = new LineReader(1000);
    const read: string[] = [];
    for (let start = 0; start < bytes.length; start += size)
      read.push(...reader.push(bytes.subarray(start, start + size)));
    expect(read).toEqual(lines);
  }
});

test('what has no newline yet is held back', () => {
  const reader = new LineReader(1000);
  expect(reader.push(Buffer.from('{"torn'))).toEqual([]);
  expect(reader.push(Buffer.from('": 1}\n{'))).toEqual(['{"torn": 1}']);
});

test('a line that is too long is dropped and counted, the next one read', () => {
  const reader = new LineReader(10);
  expect(reader.push(Buffer.from('12345'))).toEqual([]);
  expect(reader.push(Buffer.from('67890x'))).toEqual([]);
  expect(reader.push(Buffer.from('yz\nnext\n'))).toEqual(['next']);
  expect(reader.dropped).toBe(1);
});
