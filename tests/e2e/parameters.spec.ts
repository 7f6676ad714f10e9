import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { answerOpenDialog, expect, launch, test } from './support/app';
import { findings } from './support/axe';

const open = (page: Page) => page.getByRole('tab', { name: 'Parameters' }).click();
const view = (page: Page, name: 'Simple' | 'All') =>
  page.locator('.parameter-toolbar label').filter({ hasText: name }).click();
const searchField = (page: Page) => page.getByRole('textbox', { name: 'Search parameters' });
const rank = (page: Page) =>
  page.getByRole('textbox', { name: 'Network Rank (Dimension)', exact: true });
const side = (page: Page) => page.getByRole('complementary', { name: 'Parameter groups' });

test('a file is chosen, an optimizer typed or picked, a long group reached by its heading', async ({
  atelier: { app, page },
  home,
}) => {
  await open(page);
  await view(page, 'All');
  const vae = page.getByRole('textbox', { name: /^VAE \(Optional/u });
  await expect(vae).toHaveAttribute('placeholder', 'Type, browse or drop a .safetensors file');
  const file = join(home, 'vae.safetensors');
  await writeFile(file, '');
  await answerOpenDialog(app, file);
  await page.getByTestId('browse-vae').click();
  await expect(vae).toHaveValue(file);

  const links = page.getByRole('navigation', { name: 'Groups' });
  await links.getByRole('button', { name: 'Optimizer' }).click();
  const optimizer = page.getByRole('combobox', { name: 'Optimizer', exact: true });
  await expect(optimizer).toBeInViewport();
  await optimizer.click();
  await expect(page.getByRole('option', { name: 'Prodigy', exact: true })).toBeVisible();
  await optimizer.fill('8bit');
  await page.getByRole('option', { name: 'Lion8bit', exact: true }).click();
  await expect(optimizer).toHaveValue('Lion8bit');
  await optimizer.fill('my.module.Optimizer');
  await page.keyboard.press('Tab');
  await expect(optimizer).toHaveValue('my.module.Optimizer');
  await optimizer.fill('');
  await expect(page.locator('.parameter').getByText('Optimizer must not be empty.')).toBeVisible();

  await expect(page.getByRole('textbox', { name: 'Text Encoder 2 learning rate' })).toHaveAttribute(
    'placeholder',
    'Same as Text Encoder',
  );
  await links.getByRole('button', { name: 'Noise and loss' }).click();
  await expect(page.getByRole('heading', { name: 'Noise and loss' })).toBeInViewport();
});

test('a field is found by Kohya’s label and by its key, its error seen, mended, undone, done again and reset', async ({
  atelier: { page },
}) => {
  await open(page);
  await page.keyboard.press('Control+f');
  await expect(searchField(page)).toBeFocused();
  await page.keyboard.type('Network Rank');
  await expect(page.getByText('found', { exact: false }).first()).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(rank(page)).toBeFocused();
  await expect(rank(page)).toHaveValue('8');
  await searchField(page).fill('network_dim');
  await expect(page.locator('.found code').filter({ hasText: 'network_dim' })).toBeVisible();
  await expect(page.locator('mark').filter({ hasText: 'Network' }).first()).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Epoch', exact: true })).toBeHidden();
  await searchField(page).press('Enter');
  await expect(rank(page)).toBeFocused();

  await page.keyboard.press('Control+a');
  await page.keyboard.type('0');
  const error = 'Network Rank (Dimension) must be at least 1.';
  await expect(page.locator('.parameter').getByText(error)).toBeVisible();
  const gathered = side(page).getByRole('button', { name: error });
  await searchField(page).press('Escape');
  await expect(searchField(page)).toHaveValue('');
  await gathered.click();
  await expect(rank(page)).toBeFocused();
  await page.keyboard.press('Control+a');
  await page.keyboard.type('64');
  await expect(gathered).toBeHidden();

  // All that was typed at one visit is one step, and typing letters back is not what Ctrl+Z does here.
  await page.keyboard.press('Control+z');
  await expect(rank(page)).toHaveValue('0');
  await page.getByRole('button', { name: 'Undo: Network Rank (Dimension)' }).click();
  await expect(rank(page)).toHaveValue('8');
  await page.getByRole('button', { name: 'Redo: Network Rank (Dimension)' }).click();
  await rank(page).press('Control+Shift+Z');
  await expect(rank(page)).toHaveValue('64');

  const field = page.locator('.parameter').filter({ has: rank(page) });
  await field.getByRole('button', { name: 'Changed. Back to 32' }).click();
  await expect(rank(page)).toHaveValue('32');
  await page.getByRole('button', { name: 'Undo: Reset of Network Rank (Dimension)' }).click();
  await expect(rank(page)).toHaveValue('64');
});

test('the Edit menu takes back the same, and the search keeps its own undo', async ({
  atelier: { app, page },
}) => {
  await open(page);
  const name = page.getByRole('textbox', { name: 'Trained Model output name' });
  await name.fill('ada');
  await name.pressSequentially('-2');
  const menuUndo = () =>
    app.evaluate(({ webContents }) =>
      webContents.getAllWebContents().forEach((contents) => contents.undo()),
    );
  await menuUndo();
  await expect(name).toHaveValue('nova');
  await name.fill('ada');
  await searchField(page).pressSequentially('xyzzy');
  await expect(page.getByText('Nothing found')).toBeVisible();
  await menuUndo();
  await expect(searchField(page)).not.toHaveValue('xyzzy');
  await searchField(page).fill('');
  await expect(name).toHaveValue('ada');
});

test('Simple shows what the guides use and what was changed, and is remembered', async ({
  home,
}) => {
  const first = await launch(home);
  const { page } = first;
  await open(page);
  const gamma = page.getByRole('textbox', { name: 'IP noise gamma', exact: true });
  await expect(rank(page)).toBeVisible();
  await expect(gamma).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'Metadata' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Show all' }).click();
  await gamma.fill('0.1');
  await view(page, 'Simple');
  await expect(gamma).toHaveValue('0.1');
  await gamma.fill('0');
  await expect(gamma).toBeVisible();
  await view(page, 'All');
  await expect(page.getByText('Not used while IP noise gamma is 0.')).toBeVisible();
  await first.close();

  const again = await launch(home);
  await expect(again.page.getByRole('tab', { name: 'Parameters' })).toHaveAttribute(
    'aria-selected',
    'true',
  );
  await expect(
    again.page.getByRole('textbox', { name: 'IP noise gamma', exact: true }),
  ).toHaveValue('0');
  await again.close();
});

test('all is reset after a question, and comes back with undo', async ({ atelier: { page } }) => {
  await open(page);
  await expect(rank(page)).toHaveValue('8');
  await page.getByRole('button', { name: 'Reset all', exact: true }).click();
  const question = page.getByRole('dialog', { name: 'Reset all parameters?' });
  await question.getByRole('button', { name: 'Keep them' }).click();
  await expect(rank(page)).toHaveValue('8');
  await page.getByLabel('Reset all', { exact: true }).click();
  await question.getByRole('button', { name: 'Reset all' }).click();
  await expect(rank(page)).toHaveValue('32');
  await page.getByRole('button', { name: 'Undo: Reset of all parameters' }).click();
  await expect(rank(page)).toHaveValue('8');
  await page.getByRole('button', { name: /^Put Network back/u }).click();
  await expect(rank(page)).toHaveValue('32');
});

test('Training leads to a field that Simple and a search hide', async ({ atelier: { page } }) => {
  await page.getByRole('button', { name: 'Prepare training data' }).click();
  await expect(page.getByRole('button', { name: 'Go to Captioning' })).toBeVisible();
  await open(page);
  await view(page, 'All');
  await page.getByRole('textbox', { name: 'Adaptive noise scale' }).fill('0.5');
  const says = /^Adaptive noise scale changes the Noise offset, which is 0\./u;
  await expect(page.locator('.parameter').getByText(says)).toBeVisible();
  await view(page, 'Simple');
  await searchField(page).fill('epoch');
  await page.getByRole('tab', { name: 'Training' }).click();
  const start = page.getByRole('button', { name: 'Start training' });
  await expect(start).toBeDisabled();
  await page.locator('#train-status').getByRole('button', { name: says }).click();
  const scale = page.getByRole('textbox', { name: 'Adaptive noise scale' });
  await expect(scale).toBeFocused();
  await expect(searchField(page)).toHaveValue('');
  await scale.fill('0');
  await page.getByRole('textbox', { name: 'Network Alpha' }).fill('16');
  const odd = /^Network Alpha \(16\) is more than Network Rank/u;
  // Training has asked for the hardware, and the plan waits until that is known.
  await expect(page.locator('.parameter').getByText(odd)).toBeVisible({ timeout: 60_000 });
  await page.getByRole('tab', { name: 'Training' }).click();
  await expect(start).toBeEnabled();
  await page.locator('#train-status').getByRole('button', { name: odd }).click();
  await expect(page.getByRole('textbox', { name: 'Network Alpha' })).toBeFocused();
});

test('base models that were used, lie beside it or can be fetched are offered', async ({
  atelier: { page },
  home,
}) => {
  await writeFile(join(home, 'one.safetensors'), 'no model');
  await writeFile(join(home, 'two.safetensors'), 'no model');
  await open(page);
  const model = page.getByRole('combobox', { name: 'Pretrained model name or path' });
  await expect(page.getByText('SDXL, diffusers folder')).toBeVisible();
  const used = await model.inputValue();
  await model.fill(join(home, 'one.safetensors'));
  await expect(
    page.getByText(/one\.safetensors .*damaged|one\.safetensors is /u).first(),
  ).toBeVisible();
  await page.keyboard.press('Tab');
  await model.click();
  await expect(page.getByRole('option', { name: /two\.safetensors/u })).toBeVisible();
  await expect(page.getByRole('option', { name: 'SG161222/RealVisXL_V5.0' })).toBeVisible();
  await page.getByRole('option', { name: used }).click();
  await expect(model).toHaveValue(used);
  await expect(page.getByText('SDXL, diffusers folder')).toBeVisible();
});

for (const theme of ['Light', 'Dark'] as const)
  test(`axe finds nothing in All, in a search and in the question, ${theme.toLowerCase()}`, async ({
    atelier: { page },
  }) => {
    const found = async () => {
      await page.mouse.move(0, 0);
      return findings(page);
    };
    await page.locator('label').filter({ hasText: theme }).click();
    await open(page);
    await view(page, 'All');
    await rank(page).fill('0');
    expect(await found()).toEqual([]);
    await searchField(page).fill('noise');
    expect(await found()).toEqual([]);
    await page.getByRole('button', { name: 'Reset all', exact: true }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    expect(await found()).toEqual([]);
  });
