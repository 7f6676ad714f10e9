import { expect, launch, test } from './support/app';
import { findings } from './support/axe';
import { makeEarlierRun, rememberRuns } from './support/earlier-run';

const tabs = ['Dataset Preparation', 'Captioning', 'Parameters', 'Training'] as const;

for (const theme of ['Light', 'Dark'] as const)
  test(`axe finds nothing on any tab, ${theme.toLowerCase()}`, async ({ atelier: { page } }) => {
    await page.locator('label').filter({ hasText: theme }).click();
    for (const name of tabs) {
      await page.getByRole('tab', { name }).click();
      await page.mouse.move(0, 0);
      await expect(page.getByRole('tabpanel', { name })).toBeVisible();
      expect(await findings(page), name).toEqual([]);
    }
  });

test('every tab is reached and used by keyboard alone', async ({ atelier: { page } }) => {
  for (const [index, name] of tabs.entries()) {
    await page.keyboard.press(`Control+${index + 1}`);
    await expect(page.getByRole('tab', { name })).toHaveAttribute('aria-selected', 'true');
  }
  await page.keyboard.press('Control+1');
  const button = page.getByRole('button', { name: 'Prepare training data' });
  await expect(button).toBeEnabled();
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    if (await button.evaluate((element) => element === document.activeElement)) break;
  }
  await expect(button).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Go to Captioning' })).toBeVisible();
});

test('samples are looked at by keyboard alone', async ({ home }) => {
  const prompts = ['a portrait', 'a cat'].entries();
  const drawn = [...prompts].flatMap(([index, prompt]) =>
    [0, 40, 80].map((step) => ({ index, prompt, step })),
  );
  // The run was stopped before it drew the last one.
  await makeEarlierRun(home, 'nova', drawn.slice(0, -1));
  await rememberRuns(home);
  const { page, close } = await launch(home);
  await page.getByRole('tab', { name: 'Training' }).click();
  await page.getByRole('button', { name: /^nova/u }).click();

  const grid = page.getByRole('grid', { name: 'Samples' });
  const picture = (name: string) => grid.getByRole('button', { name });
  await expect(grid.getByRole('columnheader')).toHaveText([
    'Prompt',
    'Start',
    'Step 40',
    'Step 80',
  ]);
  await expect(grid.getByRole('rowheader')).toHaveText(['Prompt 1a portrait', 'Prompt 2a cat']);
  await expect(grid.getByRole('button')).toHaveCount(5);
  expect(await findings(page)).toEqual([]);

  await picture('Sample 1 at step 80: a portrait').focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowDown');
  await expect(picture('Sample 2 at step 40: a cat')).toBeFocused();
  await page.keyboard.press('Enter');
  const view = page.getByRole('dialog', { name: 'Sample 2 at step 40' });
  await expect(view.getByRole('img', { name: 'Sample 2 at step 40: a cat' })).toBeVisible();
  expect(await findings(page)).toEqual([]);

  await page.keyboard.press('ArrowRight');
  await expect(view).toBeVisible();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowUp');
  await expect(page.getByRole('dialog', { name: 'Sample 1 before the training' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(picture('Sample 1 before the training: a portrait')).toBeFocused();
  await close();
});

test('the way from a run without samples to where prompts are set', async ({
  atelier: { page },
}) => {
  await page.getByRole('button', { name: 'Prepare training data' }).click();
  await expect(page.getByRole('button', { name: 'Go to Captioning' })).toBeVisible();
  await page.getByRole('tab', { name: 'Parameters' }).click();
  await page.getByRole('textbox', { name: 'Sample prompts', exact: true }).fill('');
  await page.getByRole('tab', { name: 'Training' }).click();
  await expect(page.getByText('No samples will be drawn.')).toBeVisible();
  await page.getByRole('button', { name: 'Set prompts' }).click();
  const prompts = page.getByRole('textbox', { name: 'Sample prompts', exact: true });
  await expect(prompts).toBeFocused();
  await prompts.fill('a portrait --w 64 --h 64\na cat --q 1');
  await expect(
    page.locator('.parameter').getByText(/Line 2 of Sample prompts has --q/u),
  ).toBeVisible();
  await page.getByRole('tab', { name: 'Training' }).click();
  await page.getByRole('button', { name: 'Change it' }).click();
  await prompts.fill('a portrait --w 64 --h 64');
  await page.getByRole('tab', { name: 'Training' }).click();
  await expect(page.getByText(/^1 sample will be drawn at the start, after every /u)).toBeVisible();
});
