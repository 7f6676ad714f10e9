import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { ElectronApplication, Page } from '@playwright/test';
import { dataDir, venvPython } from '../../build/paths.mjs';
import { expect, launch, root, test } from '../e2e/support/app';

/**
 * Pictures of every tab of the real app on the sample project. In light at 1280x800 they are the README's; with all
 * sizes and both themes they are for looking at, in test-results/screenshots.
 */

const run = promisify(execFile);

const sizes = [
  { width: 1024, height: 700 },
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
] as const;
const themes = ['Light', 'Dark'] as const;
const inReadme = ['dataset', 'captioning', 'parameters', 'training'];

async function picture(app: ElectronApplication, page: Page, name: string) {
  const all = join(root, 'test-results', 'screenshots');
  await mkdir(all, { recursive: true });
  for (const theme of themes) {
    await page.locator('label').filter({ hasText: theme }).click();
    for (const size of sizes) {
      await app.evaluate(({ BrowserWindow }, { width, height }) => {
        BrowserWindow.getAllWindows()[0]?.setContentSize(width, height);
      }, size);
      await expect.poll(() => page.evaluate(() => innerWidth)).toBe(size.width);
      await page.mouse.move(0, 0);
      // Two frames: what was laid out anew has been painted.
      await page.evaluate(
        () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
      );
      const readme = inReadme.includes(name) && theme === 'Light' && size.width === 1280;
      await page.screenshot({
        path: join(all, `${name}-${size.width}x${size.height}-${theme.toLowerCase()}.png`),
      });
      if (readme) await page.screenshot({ path: join(root, 'docs', 'screenshots', `${name}.png`) });
    }
  }
  await app.evaluate(({ BrowserWindow }) => {
    BrowserWindow.getAllWindows()[0]?.setContentSize(1280, 800);
  });
}

/** A home whose paths are short and say nothing of the machine that the pictures are made on. */
async function makeHome(): Promise<{ home: string; data: string }> {
  const home = join(tmpdir(), 'ada');
  const data = join(home, 'atelier');
  await rm(home, { recursive: true, force: true });
  for (const name of ['sample', 'clip-tokenizer'])
    await cp(join(dataDir(root), name), join(data, name), { recursive: true });
  return { home, data };
}

/** The run's samples side by side, for the README. */
async function saveStrip(home: string) {
  const inside = await readdir(home, { recursive: true });
  const samples = inside.find((name) => basename(name) === 'samples') ?? '';
  const script = join(root, 'build', 'tiny-world', 'strip.py');
  await run(venvPython(root), [script, join(home, samples), join(root, 'docs', 'nova.png')]);
}

test('every tab', async () => {
  const { home, data } = await makeHome();
  const { app, page, close } = await launch(home, { env: { ATELIER_DATA_DIR: data } });
  await mkdir(join(root, 'docs', 'screenshots'), { recursive: true });
  await page.getByRole('button', { name: 'Prepare training data' }).isEnabled();
  await expect(page.getByText('Steps an epoch').first()).toBeVisible();
  await picture(app, page, 'dataset');

  await page.getByRole('button', { name: 'Prepare training data' }).click();
  await page.getByRole('button', { name: 'Go to Captioning' }).click();
  await page.getByRole('button', { name: 'Caption images' }).click();
  await expect(page.getByText('Done: 10 images').first()).toBeVisible({ timeout: 120_000 });
  await picture(app, page, 'captioning');

  await page.getByRole('tab', { name: 'Parameters' }).click();
  await picture(app, page, 'parameters');

  await page.getByRole('tab', { name: 'Training' }).click();
  await expect(page.getByRole('button', { name: 'Start training' })).toBeEnabled();
  await picture(app, page, 'before-training');
  await page.getByRole('button', { name: 'Start training' }).click();
  await expect(page.getByAltText(/^Sample 3 at step 200: a woman/u)).toBeVisible({
    timeout: 180_000,
  });
  await picture(app, page, 'running');
  await expect(page.getByText(/all numbers finite/u)).toBeVisible({ timeout: 180_000 });
  await picture(app, page, 'training');
  await close();
  await saveStrip(home);
  await rm(home, { recursive: true, force: true });
});
