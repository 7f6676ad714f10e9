import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ElectronApplication, Page } from '@playwright/test';
import { venvPython } from '../../build/paths.mjs';
import { expect, root, test } from '../e2e/support/app';

const run = promisify(execFile);
const COUNT = 10_000;
const SCROLL_MS = 5000;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
const print = (what: string, value: string) => console.log(`${what.padEnd(44)}${value}`);

/** Of main, of the window and of all processes, in MB. */
async function memory(app: ElectronApplication): Promise<string> {
  const metrics = await app.evaluate(({ app: inside }) =>
    inside
      .getAppMetrics()
      .map(({ type, memory: { workingSetSize } }) => ({ type, mb: workingSetSize / 1024 })),
  );
  const of = (type: string) =>
    Math.round(metrics.filter((each) => each.type === type).reduce((sum, { mb }) => sum + mb, 0));
  return `main ${of('Browser')} MB, window ${of('Tab')} MB`;
}

/** Frames a second while the grid is scrolled by 40 pixels in each frame. */
const scrolledFrames = (page: Page): Promise<number> =>
  page.getByRole('listbox', { name: 'Images' }).evaluate(
    (grid, ms) =>
      new Promise<number>((resolve) => {
        const start = performance.now();
        let frames = 0;
        const step = (now: number) => {
          frames += 1;
          grid.scrollTop += 40;
          if (now - start < ms) requestAnimationFrame(step);
          else resolve((1000 * frames) / (now - start));
        };
        requestAnimationFrame(step);
      }),
    SCROLL_MS,
  );

test('ten thousand photos', async ({ atelier: { app, page }, home }) => {
  const folder = join(home, 'many');
  await run(venvPython(root), [join(root, 'tests/bench/make_photos.py'), folder, `${COUNT}`]);
  print('memory before', await memory(app));
  const field = page.locator('[data-field="imagesFolder"]').first();
  const first = page.getByRole('option', { name: /^photo-00000/u });

  const start = Date.now();
  await field.fill(folder);
  await expect(first).toBeVisible({ timeout: 120_000 });
  print('opened (names in the grid)', seconds(Date.now() - start));
  await expect
    .poll(
      () =>
        page
          .getByRole('listbox', { name: 'Images' })
          .locator('img')
          .evaluateAll((all) =>
            all.slice(0, 4).every((image) => (image as HTMLImageElement).naturalWidth > 0),
          ),
      { intervals: [20], timeout: 120_000 },
    )
    .toBe(true);
  print('first thumbnails (target 1 s)', seconds(Date.now() - start));
  print('frames per second, scrolled while reading', (await scrolledFrames(page)).toFixed(0));
  await expect(page.getByText(/still to be read/u)).toHaveCount(0, { timeout: 1_000_000 });
  const all = Date.now() - start;
  print('all read', `${seconds(all)}, ${((1000 * COUNT) / all).toFixed(0)} images/s`);
  print('frames per second, scrolled (target 50)', (await scrolledFrames(page)).toFixed(0));
  print('memory then', await memory(app));
  for (let times = 0; times < 3; times += 1) await scrolledFrames(page);
  print('memory after more scrolling', await memory(app));
});
