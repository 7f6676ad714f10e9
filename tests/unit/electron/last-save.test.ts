import { expect, test, vi } from 'vitest';
import { LastSave } from '../../../electron/services/last-save';

test('quitting waits for the page to have saved', async () => {
  const order: string[] = [];
  const lastSave: LastSave = new LastSave(() => {
    setImmediate(() => {
      order.push('saved');
      lastSave.answered();
    });
  });
  await lastSave.request();
  order.push('quit');
  expect(order).toEqual(['saved', 'quit']);
});

test('a page that hangs keeps nobody from quitting', async () => {
  const ask = vi.fn();
  await new LastSave(ask, 10).request();
  expect(ask).toHaveBeenCalledOnce();
});
