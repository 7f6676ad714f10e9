import { expect, test } from 'vitest';
import { HurriedQueue } from '../../../electron/lib/hurried-queue';

test('what is hurried goes first, the latest before the others, and a failure keeps nobody waiting', async () => {
  const queue = new HurriedQueue(1);
  const done: string[] = [];
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const work = (name: string) =>
    queue.run(name, async () => {
      await gate;
      done.push(name);
      if (name === 'b') throw new Error('broken');
    });
  const all = ['a', 'b', 'c', 'd', 'e'].map(work);
  queue.hurry('d');
  queue.hurry('e');
  queue.hurry('gone');
  open();
  const results = await Promise.allSettled(all);
  expect(done).toEqual(['a', 'e', 'd', 'b', 'c']);
  expect(results.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
});
