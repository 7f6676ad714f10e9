import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, launch, test } from './support/app';
import { findings } from './support/axe';

const presetsButton = (page: Page) => page.getByRole('button', { name: 'Presets', exact: true });
const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true });
const toParameters = (page: Page) => page.getByRole('tab', { name: 'Parameters' }).click();

async function choose(page: Page, name: string | RegExp) {
  await presetsButton(page).click();
  await page.getByRole('menuitem', { name }).click();
}

test('a preset is looked at, partly applied, and then changes nothing more', async ({
  atelier: { page },
}) => {
  await toParameters(page);
  await field(page, 'Epoch').fill('3');
  await field(page, 'Network Rank (Dimension)').fill('64');
  await field(page, 'Trained Model output name').fill('ann');
  await field(page, 'Seed').fill('77');

  await choose(page, /^Fast/u);
  const dialog = page.getByRole('dialog', { name: 'Fast' });
  const change = (name: string) => dialog.getByRole('checkbox', { name });
  await expect(change('Epoch from 3 to 5')).toBeChecked();
  await expect(change('Max resolution from 128,128 to 768,768')).toBeChecked();
  await expect(dialog.getByRole('group', { name: 'Network', exact: true })).toContainText('64');
  await expect(dialog).not.toContainText('output name');
  await expect(dialog).not.toContainText('Seed');
  await change('Network Rank (Dimension) from 64 to 32').uncheck();
  await expect(dialog.getByText(/^\d+ of \d+ changes chosen$/u)).toBeVisible();
  // Nothing is changed before it is applied.
  await expect(field(page, 'Epoch')).toHaveValue('3');
  await dialog.getByRole('button', { name: 'Apply' }).click();

  await expect(dialog).toBeHidden();
  await expect(presetsButton(page)).toBeFocused();
  await expect(field(page, 'Epoch')).toHaveValue('5');
  await expect(field(page, 'Max resolution')).toHaveValue('768,768');
  await expect(field(page, 'Learning rate')).toHaveValue('0.0003');
  await expect(field(page, 'Network Rank (Dimension)')).toHaveValue('64');
  await expect(field(page, 'Trained Model output name')).toHaveValue('ann');
  await expect(field(page, 'Seed')).toHaveValue('77');

  await choose(page, /^Fast/u);
  await expect(dialog.getByRole('checkbox')).toHaveCount(2);
  await change('Network Rank (Dimension) from 64 to 32').check();
  await dialog.getByRole('button', { name: 'Apply' }).click();
  await choose(page, /^Fast/u);
  await expect(dialog).toContainText('Nothing would change');
  await expect(dialog.getByRole('button', { name: 'Apply' })).toHaveCount(0);
});

test('an own preset is saved, found after a restart, renamed and deleted', async ({ home }) => {
  const first = await launch(home);
  await toParameters(first.page);
  await field(first.page, 'Epoch').fill('7');
  await choose(first.page, /^Save these/u);
  await field(first.page, 'Name').fill('Faces');
  await first.page.getByRole('button', { name: 'Save preset' }).click();
  await expect(first.page.getByText('Preset saved: Faces')).toBeVisible();
  await field(first.page, 'Epoch').fill('9');
  await first.close();
  const folder = join(first.userData, 'presets');
  await writeFile(join(folder, 'broken.json'), '{"schemaVersion":1,"na');

  const { page, close } = await launch(home);
  await toParameters(page);
  await expect(page.getByText(/broken\.json could not be read/u)).toBeVisible();
  await expect(field(page, 'Epoch')).toHaveValue('9');
  await choose(page, 'Faces');
  const dialog = page.getByRole('dialog', { name: 'Faces' });
  await expect(dialog.getByRole('checkbox', { name: 'Epoch from 9 to 7' })).toBeChecked();
  await dialog.getByRole('button', { name: 'Apply' }).click();
  await expect(field(page, 'Epoch')).toHaveValue('7');

  await choose(page, 'Faces');
  await dialog.getByRole('button', { name: 'Rename…' }).click();
  await expect(field(page, 'Name')).toBeFocused();
  await field(page, 'Name').fill('My faces');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Preset renamed: My faces')).toBeVisible();
  const names = await Promise.all(
    (await readdir(folder))
      .filter((name) => name.endsWith('.json'))
      .map(async (name) => (JSON.parse(await readFile(join(folder, name), 'utf8')) as Named).name),
  );
  expect(names).toEqual(['My faces']);

  await choose(page, 'My faces');
  await page.getByRole('button', { name: 'Delete…' }).click();
  await expect(page.getByRole('button', { name: 'Keep it' })).toBeFocused();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page.getByText('Preset deleted: My faces')).toBeVisible();
  await presetsButton(page).click();
  await expect(page.getByRole('menuitem', { name: 'My faces' })).toHaveCount(0);
  await close();
});

interface Named {
  readonly name: string;
}

for (const theme of ['Light', 'Dark'] as const)
  test(`by keyboard alone, and axe finds nothing, ${theme.toLowerCase()}`, async ({
    atelier: { page },
  }) => {
    await page.locator('label').filter({ hasText: theme }).click();
    await toParameters(page);
    await presetsButton(page).focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('menuitem', { name: /^Avatar/u })).toBeFocused();
    expect(await findings(page)).toEqual([]);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Style' });
    const all = dialog.getByRole('checkbox', { name: /^All \d+ changes/u });
    await expect(all).toBeFocused();
    await page.keyboard.press('Space');
    await expect(dialog.getByRole('checkbox', { checked: true })).toHaveCount(0);
    await expect(dialog.getByRole('button', { name: 'Apply' })).toBeDisabled();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await expect(dialog.getByRole('checkbox', { checked: true })).toHaveCount(1);
    expect(await findings(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
    await expect(presetsButton(page)).toBeFocused();

    await page.keyboard.press('Enter');
    await expect(page.getByRole('menuitem', { name: /^Avatar/u })).toBeFocused();
    await page.keyboard.press('ArrowUp');
    await expect(page.getByRole('menuitem', { name: /^Save these/u })).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(field(page, 'Name')).toBeFocused();
    await page.keyboard.type('Faces');
    await expect(field(page, 'Name')).toHaveValue('Faces');
    expect(await findings(page, '[role=dialog]')).toEqual([]);
    await page.keyboard.press('Enter');
    await expect(page.getByText('Preset saved: Faces')).toBeVisible();
    await choose(page, 'Faces');
    await page.getByRole('button', { name: 'Delete…' }).click();
    expect(await findings(page, '[role=dialog]')).toEqual([]);
  });
