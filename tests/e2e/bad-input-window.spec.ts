import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { canMount, expect, launch, noMounts, test } from './support/app';
import { portraitPhotos } from './support/sample';

/** The same mistakes as on the command line, made in the window: said at the field, and nothing lost. */

const prepare = (page: Page) => page.getByRole('button', { name: 'Prepare training data' });

/** A whole file with one tensor of this name. */
function safetensors(name: string): Buffer {
  const header = Buffer.from(
    JSON.stringify({ [name]: { dtype: 'F16', shape: [1], data_offsets: [0, 2] } }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(2)]);
}

/** The shapes of pictures, each once; 'none' while one of them is not loaded. */
const shapesOf = (pictures: Locator) =>
  pictures.evaluateAll((all) => {
    const shapes = all.map((picture) => {
      const { naturalWidth: width, naturalHeight: height } = picture as HTMLImageElement;
      if (width === 0) return 'none';
      return width === height ? 'square' : width > height ? 'landscape' : 'portrait';
    });
    return [...new Set(shapes)].sort();
  });

async function setParameter(page: Page, label: string, value: string) {
  await page.getByRole('tab', { name: 'Parameters' }).click();
  await page.locator('.parameter').getByRole('combobox', { name: label, exact: true }).fill(value);
}

test('a folder that is missing, and one without images', async ({ atelier: { page }, home }) => {
  const folder = page.getByLabel('Training images folder');
  await folder.fill(join(home, 'gone'));
  await expect(page.getByText(/gone/u).first()).toBeVisible();
  await expect(prepare(page)).toBeDisabled();

  await mkdir(join(home, 'bare'));
  await folder.fill(join(home, 'bare'));
  await expect(page.getByText(/no (images|pictures)/iu).first()).toBeVisible();
  await expect(prepare(page)).toBeDisabled();
});

test('real photos of three shapes are shown, an unreadable one is marked and left where it is', async ({
  atelier: { page },
  home,
}) => {
  const folder = join(home, 'photos');
  await cp(portraitPhotos, folder, { recursive: true });
  await writeFile(join(folder, 'aaa-broken.png'), 'not a picture');
  await page.getByLabel('Training images folder').fill(folder);
  await expect(page.getByText('aaa-broken.png', { exact: true })).toBeVisible();
  await expect(
    page.getByText(/cannot be read|not a picture|unreadable|damaged/iu).first(),
  ).toBeVisible();
  const thumbnails = page.locator('img[src^="media://thumbnail/"]');
  await expect(thumbnails).toHaveCount(10);
  await expect.poll(() => shapesOf(thumbnails)).toEqual(['landscape', 'portrait', 'square']);

  await page.getByLabel('Destination training directory').fill(join(home, 'made'));
  await expect(prepare(page)).toBeEnabled();
  await prepare(page).click();
  await expect(page.getByRole('button', { name: 'Go to Captioning' })).toBeVisible();
  expect(await readdir(join(home, 'made', 'img', '10_nova woman'))).toHaveLength(10);
  expect(await readFile(join(folder, 'aaa-broken.png'), 'utf8')).toBe('not a picture');
});

test('a base model that is missing, or is not SDXL', async ({ atelier: { page }, home }) => {
  const older = join(home, 'older.safetensors');
  await writeFile(
    older,
    safetensors('cond_stage_model.transformer.text_model.final_layer_norm.bias'),
  );
  await page.getByLabel('Destination training directory').fill(join(home, 'made'));
  await expect(prepare(page)).toBeEnabled();
  await prepare(page).click();
  await expect(page.getByRole('button', { name: 'Go to Captioning' })).toBeVisible();
  const start = page.getByRole('button', { name: 'Start training' });
  for (const [model, says] of [
    [join(home, 'gone.safetensors'), /gone\.safetensors/u],
    [older, /older\.safetensors is .*Stable Diffusion/u],
  ] as const) {
    await setParameter(page, 'Pretrained model name or path', model);
    await page.getByRole('tab', { name: 'Training' }).click();
    await expect(page.locator('#train-status')).toContainText(says);
    await expect(start).toBeDisabled();
  }
});

test('a disk that is full, and one that may not be written', async ({ home }) => {
  test.skip(!canMount(), noMounts);
  const [full, closed] = [join(home, 'full'), join(home, 'closed')];
  await mkdir(full);
  await mkdir(closed);
  const { page, close } = await launch(home, {
    mounts: `mount -t tmpfs -o size=64k full "${full}" && mount -t tmpfs -o ro,size=200m closed "${closed}"`,
  });
  const destination = page.getByLabel('Destination training directory');
  await destination.fill(join(full, 'project'));
  await expect(page.getByText(/free|space/u).first()).toBeVisible();
  await expect(prepare(page)).toBeDisabled();

  await destination.fill(join(closed, 'project'));
  await expect(page.getByText(/no permission for .*closed/u).first()).toBeVisible();
  await expect(prepare(page)).toBeDisabled();
  await close();
});

test('a Python environment that is broken', async ({ home }) => {
  const { page, close } = await launch(home, {
    env: { ATELIER_PYTHON: join(home, 'no-python-here') },
  });
  await expect(page.getByRole('alert').first()).toContainText('Python');
  await expect(page.getByText(/npm start/u).first()).toBeVisible();
  await page.getByRole('tab', { name: 'Captioning' }).click();
  await expect(page.getByRole('button', { name: 'Caption images' })).toBeDisabled();
  await close();
});

test('settings that were cut in half are set aside, not wiped', async ({ home }) => {
  const first = await launch(home);
  await first.page.getByLabel('Instance prompt').fill('someone else');
  await first.close();
  const file = join(first.userData, 'settings.json');
  const text = await readFile(file, 'utf8');
  expect(text).toContain('someone else');
  await writeFile(file, text.slice(0, text.length / 2));

  const again = await launch(home);
  const kept = (await readdir(again.userData)).filter((name) => name.startsWith('settings.broken'));
  expect(kept).toHaveLength(1);
  expect(await readFile(join(again.userData, kept[0] ?? ''), 'utf8')).toBe(
    text.slice(0, text.length / 2),
  );
  await again.close();
});
