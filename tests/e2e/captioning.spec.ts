import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { dataDir } from '../../build/paths.mjs';
import { expect, root, test } from './support/app';

const names = ['a', 'b', 'c'] as const;

/** Three of the sample's pictures in a folder of their own, open on the Captioning tab with the sample's BLIP. */
async function openPhotos(page: Page, home: string): Promise<string> {
  const source = join(dataDir(root), 'sample', 'photos');
  const pictures = (await readdir(source)).filter((name) => name.endsWith('.png')).sort();
  const folder = join(home, 'photos');
  await mkdir(folder);
  for (const [index, name] of names.entries())
    await cp(join(source, pictures[index] ?? ''), join(folder, `${name}.png`));
  await page.getByRole('tab', { name: 'Captioning' }).click();
  await page.getByLabel('Image folder').fill(folder);
  await expect(caption(page, 'c')).toBeVisible();
  await expect(page.getByText('BLIP', { exact: true }).first()).toBeVisible();
  return folder;
}

const caption = (page: Page, name: string) =>
  page.getByRole('textbox', { name: `Caption of ${name}.png` });

const run = (page: Page) => page.getByRole('button', { name: 'Caption images' });

const texts = async (folder: string) =>
  (await readdir(folder)).filter((name) => name.endsWith('.txt')).sort();

async function more(page: Page, name: string, item: string) {
  await page.getByRole('button', { name: `More for ${name}.png` }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

test('selected pictures, one again, and appending', async ({ atelier: { page }, home }) => {
  const folder = await openPhotos(page, home);
  await page.getByRole('checkbox', { name: 'Select a.png' }).check();
  await page.getByRole('checkbox', { name: 'Select c.png' }).check();
  await page.getByRole('button', { name: 'Caption 2 selected images' }).click();
  await expect(caption(page, 'c')).not.toHaveValue('', { timeout: 90_000 });
  await expect(run(page)).toBeEnabled();
  expect(await texts(folder)).toEqual(['a.txt', 'c.txt']);

  const said = await caption(page, 'a').inputValue();
  await caption(page, 'a').fill('by hand');
  await caption(page, 'a').press('Control+Enter');
  await more(page, 'a', 'Caption again');
  await expect(caption(page, 'a')).toHaveValue(said, { timeout: 90_000 });
  expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe(`${said}\n`);

  await caption(page, 'a').fill('by hand');
  await caption(page, 'a').press('Control+Enter');
  await page.getByText('Append', { exact: true }).click();
  await expect(run(page)).toBeEnabled();
  await run(page).click();
  await expect(caption(page, 'a')).toHaveValue(`by hand, ${said}`, { timeout: 90_000 });
  await expect(caption(page, 'b')).not.toHaveValue('', { timeout: 90_000 });
});

test('a caption is chosen among candidates', async ({ atelier: { page }, home }) => {
  const folder = await openPhotos(page, home);
  await writeFile(join(folder, 'b.txt'), 'by hand\n');
  await more(page, 'b', 'Candidates…');
  const dialog = page.getByRole('dialog', { name: 'Candidates for b.png' });
  await expect(dialog).toBeVisible({ timeout: 90_000 });
  expect(await readFile(join(folder, 'b.txt'), 'utf8')).toBe('by hand\n');
  const use = dialog.getByRole('button', { name: /^Use /u }).first();
  const text = ((await use.getAttribute('aria-label')) ?? '').replace('Use ', '');
  await use.click();
  await expect(dialog).toHaveCount(0);
  expect(await readFile(join(folder, 'b.txt'), 'utf8')).toBe(`${text}\n`);
  expect(await texts(folder)).toEqual(['b.txt']);
});

test('a caption that cannot be written, and a picture that vanishes', async ({
  atelier: { page },
  home,
}) => {
  const folder = await openPhotos(page, home);
  await rm(join(folder, 'c.png'));
  await more(page, 'c', 'Caption again');
  await expect(page.getByText('Done: 1 image, 1 failed.')).toBeVisible({ timeout: 90_000 });

  await page.getByText('Overwrite', { exact: true }).click();
  await expect(run(page)).toBeEnabled();
  await mkdir(join(folder, 'b.txt'));
  await run(page).click();
  await expect(page.getByText(/The caption .*b\.txt could not be written/u)).toBeVisible({
    timeout: 90_000,
  });
  expect((await readFile(join(folder, 'a.txt'), 'utf8')).trim()).not.toBe('');
});
