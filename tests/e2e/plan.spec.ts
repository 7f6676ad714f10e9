import type { Page } from '@playwright/test';
import { expect, launch, test, type Atelier } from './support/app';
import { findings } from './support/axe';
import { kohyaProject } from './support/sample';

async function resize({ app, page }: Atelier, width: number, height: number) {
  await app.evaluate(
    ({ BrowserWindow }, size) => {
      BrowserWindow.getAllWindows()[0]?.setContentSize(size.width, size.height);
    },
    { width, height },
  );
  await expect.poll(() => page.evaluate(() => innerWidth)).toBe(width);
}

async function fill(page: Page, name: string, value: unknown) {
  const field = page.locator(`[data-field="${name}"]`);
  await field.fill(String(value));
  await field.press('Tab');
}

/** The Parameters tab with the folders of a project of the sample's photos. */
async function openProject(atelier: Atelier, home: string) {
  const { page } = atelier;
  const { config } = await kohyaProject(home);
  await resize(atelier, 1440, 900);
  await page.getByRole('tab', { name: 'Parameters' }).click();
  for (const key of ['train_data_dir', 'output_dir', 'logging_dir', 'output_name'])
    await fill(page, key, config[key]);
}

test('the plan follows the parameters, and its buckets show what is cut from which photo', async ({
  atelier,
  home,
}) => {
  const { page } = atelier;
  await openProject(atelier, home);
  await fill(page, 'max_resolution', '128,128');
  await fill(page, 'train_batch_size', 4);
  await fill(page, 'epoch', 3);
  const plan = page.getByRole('complementary', { name: 'Plan' });
  await expect(plan.getByText('18 steps in 3 epochs')).toBeVisible();
  await fill(page, 'epoch', 5);
  await expect(plan.getByText('30 steps in 5 epochs')).toBeVisible();
  await expect(plan.getByText(/10 of 10 pictures in .* have no caption/u)).toBeAttached();

  const buckets = plan.getByRole('region', { name: 'Buckets' }).getByRole('button');
  expect(await buckets.count()).toBeGreaterThan(1);
  await buckets.first().click();
  const photos = page.getByRole('dialog');
  await expect(photos.getByText(/% cut/u).first()).toBeVisible();
  await expect
    .poll(() =>
      photos
        .locator('img')
        .evaluateAll((images) =>
          images.every((image) => image instanceof HTMLImageElement && image.naturalWidth > 0),
        ),
    )
    .toBe(true);
  expect(await photos.locator('img').count()).toBeGreaterThan(0);
  expect(await findings(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(photos).toBeHidden();
});

test('the plan is folded, and opens over the parameters of a narrow window', async ({
  atelier,
}) => {
  const { page } = atelier;
  await resize(atelier, 1440, 900);
  await page.getByRole('tab', { name: 'Parameters' }).click();
  const plan = page.getByRole('complementary', { name: 'Plan' });
  await plan.getByRole('button', { name: 'Fold the plan' }).click();
  await expect(plan).toBeHidden();
  const strip = page.getByRole('button', { name: 'Show the plan' });
  await strip.click();
  await expect(plan).toBeVisible();

  await resize(atelier, 1024, 700);
  await expect(plan).toBeHidden();
  expect(await findings(page)).toEqual([]);
  await strip.click();
  const drawer = page.getByRole('dialog', { name: 'What will happen' });
  await expect(drawer.getByText(/plan appears once/u)).toBeVisible();
  expect(await findings(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(drawer).toBeHidden();
});

test('a folded plan is folded after a restart too', async ({ home }) => {
  const first = await launch(home);
  await resize(first, 1440, 900);
  await first.page.getByRole('tab', { name: 'Parameters' }).click();
  await first.page.getByRole('button', { name: 'Fold the plan' }).click();
  await first.close();

  const again = await launch(home);
  await resize(again, 1440, 900);
  await expect(again.page.getByRole('button', { name: 'Show the plan' })).toBeVisible();
  await expect(again.page.getByRole('complementary', { name: 'Plan' })).toBeHidden();
  await again.close();
});

test('what does not fit is made to fit, with what it costs, and taken back in one step', async ({
  atelier,
  home,
}) => {
  const { page } = atelier;
  await openProject(atelier, home);
  await fill(page, 'max_resolution', '2048,2048');
  // About 190 GB without gradient checkpointing.
  await fill(page, 'train_batch_size', 64);
  const checkpointing = page.locator('[data-field="gradient_checkpointing"]');
  await checkpointing.setChecked(false, { force: true });
  const plan = page.getByRole('complementary', { name: 'Plan' });
  const verdict = plan.locator('.memory-verdict');
  await expect(verdict).toContainText('It does not fit.', { timeout: 60_000 });
  await plan.getByRole('button', { name: /^Fit (?:this machine|my GPU)$/u }).click();
  const changes = plan.getByRole('group', { name: 'What makes it fit' });
  await expect(changes.getByText(/Gradient checkpointing/u)).toBeVisible();
  expect(await changes.getByText(/^Costs: ./u).count()).toBe(
    await changes.getByRole('listitem').count(),
  );
  expect(await findings(page)).toEqual([]);

  await changes.getByRole('button', { name: 'Make these changes' }).click();
  await expect(verdict).toContainText('It fits.', { timeout: 60_000 });
  await expect(checkpointing).toBeChecked();
  await page.getByRole('button', { name: /^Undo: Fit (?:this machine|my GPU)$/u }).click();
  await expect(checkpointing).not.toBeChecked();
  await expect(verdict).toContainText('It does not fit.', { timeout: 60_000 });
});
