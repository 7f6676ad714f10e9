import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from './support/app';

const tabs = ['Dataset Preparation', 'Captioning', 'Parameters', 'Training'] as const;

/** What axe finds, short enough to read in a report. */
async function findings(page: Page) {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}

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
