import { cp, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from './support/app';
import { findings } from './support/axe';

const grid = (page: Page) => page.getByRole('listbox', { name: 'Images' });
const photo = (page: Page, name: string) =>
  grid(page).getByRole('option', { name: new RegExp(`^${name}`, 'u') });

/** A copy of the sample project's photos, which the tab shows then. */
async function copyPhotos(page: Page, home: string): Promise<string> {
  const field = page.locator('[data-field="imagesFolder"]').first();
  const folder = join(home, 'photos');
  await cp(await field.inputValue(), folder, { recursive: true });
  await field.fill(folder);
  await field.press('Tab');
  return folder;
}

test('photos are found, sorted and selected by mouse and by keys', async ({
  atelier: { page },
  home,
}) => {
  const folder = await copyPhotos(page, home);
  const options = grid(page).getByRole('option');
  await expect(options).toHaveCount(10);
  await expect(page.getByText('Reading…')).toHaveCount(0);
  const names = (await readdir(folder)).filter((name) => /\.(jpg|png)$/u.test(name)).sort();
  await expect(options.first()).toHaveAccessibleName(/\d+ × \d+/u);
  await expect(options.first().getByText(/→ \d+×\d+/u)).toBeVisible();

  await options.nth(1).click();
  await options.nth(3).click({ modifiers: ['Shift'] });
  await expect(page.getByText('3 selected')).toBeVisible();
  await options.nth(5).click({ modifiers: ['Control'] });
  await expect(page.getByText('4 selected')).toBeVisible();
  expect(await findings(page)).toEqual([]);

  await grid(page).focus();
  await page.keyboard.press('Home');
  await expect(page.getByText('1 selected')).toBeVisible();
  await page.keyboard.press('Shift+ArrowRight');
  await expect(page.getByText('2 selected')).toBeVisible();
  await page.keyboard.press('Control+a');
  await expect(page.getByText('10 selected')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByText('selected')).toBeHidden();

  await page.getByRole('textbox', { name: 'Search images' }).fill(names[4] ?? '');
  await expect(options).toHaveCount(1);
  await page.getByRole('textbox', { name: 'Search images' }).fill('no such photo');
  await expect(page.getByText('No image is like that')).toBeVisible();
  await page.getByRole('textbox', { name: 'Search images' }).fill('');
  await page.getByRole('button', { name: 'Ascending: turn round' }).click();
  await expect(options.first()).toHaveAccessibleName(new RegExp(`^${names.at(-1) ?? ''}`, 'u'));

  const before = await options.first().evaluate((element) => element.clientWidth);
  await page.getByRole('slider', { name: 'Size of the images' }).press('End');
  await expect
    .poll(() => options.first().evaluate((element) => element.clientWidth))
    .toBeGreaterThan(before);
});

test('a photo is looked at in large, turned, cropped and brought back, and its file never changes', async ({
  atelier: { page },
  home,
}) => {
  const folder = await copyPhotos(page, home);
  const [name = ''] = (await readdir(folder)).filter((file) => /\.(jpg|png)$/u.test(file)).sort();
  const original = await readFile(join(folder, name));
  const editFile = join(folder, `${name}.edit.json`);
  const edit = async (): Promise<unknown> =>
    readFile(editFile, 'utf8').then(
      (text) => JSON.parse(text) as unknown,
      () => null,
    );
  const sizeOf = async (): Promise<number[]> => {
    const text = (await photo(page, name).getAttribute('aria-label')) ?? '';
    return (/(\d+) × (\d+)/u.exec(text) ?? []).slice(1).map(Number);
  };
  await expect.poll(sizeOf).toHaveLength(2);
  const [width = 0, height = 0] = await sizeOf();

  await photo(page, name).dblclick();
  const view = page.getByRole('dialog', { name });
  const picture = view.getByRole('img', { name });
  await expect
    .poll(() => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth))
    .toBe(width);
  await expect(view.locator('.large-kept')).toBeVisible();
  expect(await findings(page)).toEqual([]);
  await view.getByRole('button', { name: 'Zoom in' }).click();
  await expect(view.getByText('150 %')).toBeVisible();
  await page.keyboard.press('0');
  await expect(view.getByText('100 %')).toBeVisible();

  await view.getByRole('button', { name: 'Turn right' }).click();
  await expect.poll(edit).toEqual({ rotate: 90, crop: null });
  await expect.poll(sizeOf).toEqual([height, width]);
  await expect
    .poll(() => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth))
    .toBe(height);

  await view.getByRole('button', { name: 'Crop' }).click();
  await view.getByRole('combobox', { name: 'Shape of the crop' }).click();
  await page.getByRole('option', { name: 'Square' }).click();
  expect(await findings(page)).toEqual([]);
  await view.getByRole('button', { name: 'Keep this crop' }).click();
  const side = Math.min(width, height);
  await expect.poll(sizeOf).toEqual([side, side]);
  await page.keyboard.press('Escape');
  await expect(view).toBeHidden();

  await page.getByRole('button', { name: 'Undo crop or turn' }).click();
  await expect.poll(edit).toEqual({ rotate: 90, crop: null });
  await page.getByRole('button', { name: 'Undo crop or turn' }).click();
  await expect.poll(edit).toBeNull();
  await expect.poll(sizeOf).toEqual([width, height]);
  expect(await readFile(join(folder, name))).toEqual(original);
});
