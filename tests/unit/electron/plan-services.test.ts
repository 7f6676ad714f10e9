import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bucketPhotos } from '../../../electron/services/bucket-photos';
import { readPictures } from '../../../electron/services/pictures';
import { runSpeeds } from '../../../electron/services/run-speeds';
import { Thumbnails } from '../../../electron/services/thumbnails';
import { newJobView, summaryOf, type JobSummary } from '../../../shared/job-view';
import { defaultTrainConfig } from '../../../shared/parameters';
import { jobEventSchema, type EventOf, type Plan } from '../../../shared/protocol';
import { readFileSync } from 'node:fs';
import { tempFolder } from '../../fakes/temp-folder';

const facts = { width: 8, height: 8, format: 'jpeg', problem: null };
const picture = {
  size: [8, 8] as [number, number],
  resized: [8, 8] as [number, number],
  crop: [0, 0] as [number, number],
  cropMoves: false,
  repeats: 1,
  regularization: false,
  enlarged: false,
};

test('the photos of a bucket have the ids of the grid, and their thumbnails are waited for', async () => {
  const folder = await tempFolder();
  const cache = join(folder, 'cache');
  await mkdir(cache);
  await writeFile(join(folder, 'a.jpg'), 'A');
  const thumbnails = new Thumbnails(cache, async (_path, thumbnail) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    await writeFile(thumbnail, 'small');
    return facts;
  });
  const { total, photos } = await bucketPhotos(
    {
      total: 7,
      pictures: [
        { ...picture, path: join(folder, 'a.jpg') },
        { ...picture, path: join(folder, 'gone.jpg') },
      ],
    },
    thumbnails,
  );
  expect(total).toBe(7);
  expect(photos.map(({ name }) => name)).toEqual(['a.jpg', 'gone.jpg']);
  expect(photos[0]).not.toHaveProperty('path');
  expect(photos[1]?.id).toBeNull();
  const id = photos[0]?.id ?? '';
  expect(await thumbnails.find(id)).toEqual(Buffer.from('small'));
  expect((await readPictures(folder, thumbnails))[0]?.id).toBe(id);
});

/** Of the golden file that both sides parse. */
const golden = readFileSync(
  join(import.meta.dirname, '../../fixtures/protocol/events.jsonl'),
  'utf8',
)
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => jobEventSchema.parse(JSON.parse(line)));
const find = <T extends 'hello' | 'plan' | 'step'>(type: T) =>
  golden.find((event) => event.type === type) as EventOf<T>;

function job(id: string, step: number, plan: Plan | null = find('plan').plan): JobSummary {
  const head = { id, kind: 'train', name: id, createdAt: '2026-11-20T10:00:00Z' } as const;
  return {
    ...summaryOf(newJobView({ ...head, samplePrompts: 0 }, '/p')),
    hello: find('hello'),
    plan,
    lastStep: { ...find('step'), step, secondsPerStep: 1.5 },
  };
}

test('runs that have come far enough tell how fast they were', async () => {
  const jobs = [job('new', 5), job('short', 4), job('planless', 9, null), job('lost', 9)];
  const speeds = await runSpeeds(jobs, (id) =>
    id === 'lost' ? Promise.reject(new Error('gone')) : Promise.resolve(defaultTrainConfig),
  );
  expect(speeds.map(({ name, secondsPerStep }) => [name, secondsPerStep])).toEqual([['new', 1.5]]);
  expect(speeds[0]?.pixels).toBeGreaterThan(1_000_000);
  expect(speeds[0]?.device).toBe(find('hello').device.name);
});
