import { expect, test, vi } from 'vitest';
import { Thumbnails } from '../../../electron/services/thumbnails';

const facts = { width: 8, height: 8, format: 'jpeg', problem: null };

test('a picture that two ask for at once is read once', async () => {
  const examine = vi.fn(() => Promise.resolve(facts));
  const thumbnails = new Thumbnails('/cache', examine);
  const answers = await Promise.all([thumbnails.facts('a', '/a'), thumbnails.facts('a', '/a')]);
  expect(answers).toEqual([facts, facts]);
  expect(examine).toHaveBeenCalledTimes(1);
});

test('a picture that nobody answered for is asked for again', async () => {
  const examine = vi.fn(() => Promise.resolve(facts));
  examine.mockRejectedValueOnce(new Error('The bridge is gone.'));
  const thumbnails = new Thumbnails('/cache', examine);
  await expect(thumbnails.facts('a', '/a')).rejects.toThrow('gone');
  await expect(thumbnails.facts('a', '/a')).resolves.toEqual(facts);
});
