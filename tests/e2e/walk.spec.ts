import { readFile, readdir, stat } from 'node:fs/promises';
import { join, parse } from 'node:path';
import type { Page } from '@playwright/test';
import { answerOpenDialog, expect, launch, test } from './support/app';
import { likenesses, loraEffect, sampleBaseModel } from './support/sample';

const tab = (page: Page, name: string) => page.getByRole('tab', { name }).click();

const stepTile = (page: Page) => page.locator('.tiles dd').first();

/** Prepares the sample and trains it for so long that the test decides when it ends. */
async function startLongRun(page: Page, destination: string) {
  await page.getByLabel('Destination training directory').fill(destination);
  await page.getByRole('button', { name: 'Prepare training data' }).click();
  await expect(page.getByRole('button', { name: 'Go to Captioning' })).toBeVisible();
  await tab(page, 'Parameters');
  await page.getByLabel('Epoch', { exact: true }).fill('5000');
  await tab(page, 'Training');
  await page.getByRole('button', { name: 'Start training' }).click();
  await expect(stepTile(page)).toContainText(/\d/u, { timeout: 120_000 });
}

/** How many pixels of the chart's canvas are painted: a curve that grows changes it. */
const chartInk = (page: Page) =>
  page.locator('.loss-panel canvas').evaluate((canvas) => {
    const { width, height } = canvas as HTMLCanvasElement;
    const pixels = (canvas as HTMLCanvasElement)
      .getContext('2d')
      ?.getImageData(0, 0, width, height).data;
    let painted = 0;
    for (let index = 3; index < (pixels?.length ?? 0); index += 4)
      if ((pixels?.[index] ?? 0) > 0) painted += 1;
    return painted;
  });

/** The samples of the only training, in the order of their steps and prompts. */
async function sampleFiles(destination: string): Promise<string[]> {
  const jobs = await readdir(join(destination, 'log'));
  const training = jobs.find((name) => name.endsWith('-nova')) ?? '';
  const folder = join(destination, 'log', training, 'samples');
  return (await readdir(folder)).sort().map((name) => join(folder, name));
}

test('from ten photos to a LoRA that diffusers accepts', async ({ atelier, home }) => {
  // A minute and a half where nothing else runs.
  test.setTimeout(400_000);
  const { app, page, userData } = atelier;
  const destination = join(home, 'my project');
  const samples = page.getByRole('region', { name: 'Samples' });

  await test.step('the sample project is open, with its pictures', async () => {
    await expect(page.getByLabel('Instance prompt')).toHaveValue('nova');
    await expect(page.locator('img[src^="media://thumbnail/"]').first()).toBeVisible();
    await expect(page.getByText('Steps an epoch').first()).toBeVisible();
  });

  await test.step('a folder comes from the native dialog, and what will be made follows it', async () => {
    await answerOpenDialog(app, destination);
    await page.getByTestId('browse-destination').click();
    await expect(page.getByLabel('Destination training directory')).toHaveValue(destination);
    await expect(page.getByText(join('img', '10_nova woman')).first()).toBeVisible();
  });

  await test.step('Prepare makes Kohya’s layout', async () => {
    await page.getByRole('button', { name: 'Prepare training data' }).click();
    await expect(page.getByRole('button', { name: 'Go to Captioning' })).toBeVisible();
    expect((await readdir(destination)).sort()).toEqual(['img', 'log', 'model', 'reg']);
    expect(await readdir(join(destination, 'img', '10_nova woman'))).toHaveLength(10);
    await page.getByRole('button', { name: 'Go to Captioning' }).click();
  });

  await test.step('captions appear beside their pictures and can be edited', async () => {
    await page.getByRole('button', { name: 'Caption images' }).click();
    const folder = join(destination, 'img', '10_nova woman');
    const captions = page.getByRole('textbox', { name: /^Caption of / });
    await expect(captions.first()).toHaveValue(/^nova woman, \w+/u, { timeout: 90_000 });
    await expect
      .poll(async () => (await readdir(folder)).filter((name) => name.endsWith('.txt')).length, {
        timeout: 90_000,
      })
      .toBe(10);
    await expect(page.getByRole('button', { name: 'Caption images' })).toBeEnabled();

    const label = (await captions.first().getAttribute('aria-label')) ?? '';
    const image = label.replace('Caption of ', '');
    await captions.first().fill('nova woman, a woman on a white background');
    await captions.first().press('Control+Enter');
    await expect(page.getByText('Saved').first()).toBeVisible();
    const file = join(folder, `${parse(image).name}.txt`);
    expect((await readFile(file, 'utf8')).trim()).toBe('nova woman, a woman on a white background');
  });

  await test.step('parameters are checked as they are typed', async () => {
    await tab(page, 'Parameters');
    const rank = page.getByLabel('Network Rank (Dimension)', { exact: true });
    await rank.fill('0');
    await expect(
      page.getByText('Network Rank (Dimension) must be at least 1.').first(),
    ).toBeVisible();
    await tab(page, 'Training');
    await expect(page.getByRole('button', { name: 'Start training' })).toBeDisabled();
    await tab(page, 'Parameters');
    await rank.fill('8');
    await expect(page.getByText('Network Rank (Dimension) must be at least 1.')).toHaveCount(0);
  });

  await test.step('training shows its curve while it runs', async () => {
    await tab(page, 'Training');
    await page.getByRole('button', { name: 'Start training' }).click();
    await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible();
    await expect(
      samples.getByAltText(/^Sample 1 before the training: nova woman, a woman with/u),
    ).toBeVisible({
      timeout: 120_000,
    });
    await expect(stepTile(page)).toContainText(/\d/u, { timeout: 120_000 });
    const early = await chartInk(page);
    await expect.poll(() => chartInk(page), { timeout: 60_000 }).not.toBe(early);
    await expect(page.getByRole('button', { name: 'Show in folder' })).toBeVisible({
      timeout: 240_000,
    });
    await expect(page.getByText(/modules?, rank 8, alpha 8, all numbers finite/u)).toBeVisible();
  });

  await test.step('the samples go from before the first step to the last', async () => {
    const rounds = 500 / 50;
    await expect(samples.getByRole('grid')).toHaveAttribute('aria-colcount', `${2 + rounds}`);
    await expect(samples.getByRole('grid')).toHaveAttribute('aria-rowcount', '4');
    expect(await sampleFiles(destination)).toHaveLength(3 * (1 + rounds));
    await samples.getByAltText(/^Sample 2 at step 500: nova woman, .* and glasses, on/u).click();
    const view = page.getByRole('dialog');
    const shown = (name: RegExp) =>
      view.getByAltText(name).evaluate((picture) => (picture as HTMLImageElement).naturalWidth);
    await expect.poll(() => shown(/^Sample 2 at step 500: /u)).toBe(128);
    await page.keyboard.press('Home');
    await expect.poll(() => shown(/^Sample 2 before the training: /u)).toBe(128);
    await page.keyboard.press('Escape');
    await expect(view).toHaveCount(0);
  });

  await test.step('the console holds what a terminal would show', async () => {
    const console = page.getByLabel('Console output');
    await expect(console).toContainText('step');
  });

  await test.step('the file is whole and has a visible effect', async () => {
    const lora = join(destination, 'model', 'nova.safetensors');
    expect((await stat(lora)).size).toBeGreaterThan(10_000);
    const effect = await loraEffect(await sampleBaseModel(), lora);
    expect(effect.adapters).toBeGreaterThan(0);
    expect(effect.meanAbsoluteDifference).toBeGreaterThan(0.05);
  });

  await test.step('the next start opens where this one ended', async () => {
    await atelier.close();
    const again = await launch(home, { userData });
    await expect(again.page.getByRole('tab', { name: 'Training' })).toHaveAttribute(
      'aria-selected',
      'true',
    );
    await expect(again.page.getByText('nova.safetensors').first()).toBeVisible();
    await again.close();
  });

  await test.step('the first prompt’s pictures have turned into Nova', async () => {
    const drawn = (await sampleFiles(destination)).filter((file) => /_00_\d+\.png$/u.test(file));
    const [before = NaN, after = NaN] = await likenesses(drawn[0] ?? '', drawn.at(-1) ?? '');
    expect(after - before).toBeGreaterThan(0.5);
  });
});

test('Stop saves what was learnt', async ({ atelier: { page }, home }) => {
  await startLongRun(page, join(home, 'stopped'));
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(page.getByRole('button', { name: 'Show in folder' })).toBeVisible({
    timeout: 60_000,
  });
  expect(await readdir(join(home, 'stopped', 'model'))).toContain('nova.safetensors');
});

test('training outlives the app, and the app finds it again', async ({ atelier, home }) => {
  const { app, page, userData } = atelier;
  await startLongRun(page, join(home, 'outlives'));
  app.process().kill('SIGKILL');

  const again = await launch(home, { userData });
  await again.page.getByRole('tab', { name: 'Training' }).click();
  const step = async () =>
    Number((await stepTile(again.page).innerText()).replace(/of.*/su, '').replace(/\D/gu, ''));
  await expect.poll(step, { timeout: 30_000 }).toBeGreaterThan(0);
  const seen = await step();
  await expect.poll(step, { timeout: 30_000 }).toBeGreaterThan(seen);
  await again.page.getByRole('button', { name: 'Stop' }).click();
  await expect(again.page.getByRole('button', { name: 'Show in folder' })).toBeVisible({
    timeout: 60_000,
  });
  await again.close();
});

test('a run is saved and drawn on demand, paused, and gone on with after a restart', async ({
  atelier,
  home,
}) => {
  const { page, userData } = atelier;
  const destination = join(home, 'paused');
  await startLongRun(page, destination);
  await page.getByRole('button', { name: 'Save now' }).click();
  const model = join(destination, 'model');
  const saved = async () => (await readdir(model)).filter((name) => /-step\d{8}\./u.test(name));
  await expect.poll(saved, { timeout: 60_000 }).toHaveLength(1);
  const before = (await sampleFiles(destination)).length;
  await page.getByRole('button', { name: 'Draw samples now' }).click();
  await expect
    .poll(async () => (await sampleFiles(destination)).length, { timeout: 120_000 })
    .toBeGreaterThan(before);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByText(/Paused after step \d/u)).toBeVisible({ timeout: 60_000 });
  const paused = Number(
    /step ([\d,]+)/u
      .exec(await page.getByText(/Paused after step/u).innerText())?.[1]
      ?.replace(/\D/gu, ''),
  );
  await atelier.close();

  const again = await launch(home, { userData });
  await tab(again.page, 'Training');
  await again.page
    .getByRole('button', { name: /^Resume/u })
    .first()
    .click();
  const step = async () =>
    Number((await stepTile(again.page).innerText()).replace(/of.*/su, '').replace(/\D/gu, ''));
  await expect.poll(step, { timeout: 120_000 }).toBeGreaterThan(paused);
  await again.page.getByRole('button', { name: 'Stop' }).click();
  await expect(again.page.getByRole('button', { name: 'Show in folder' })).toBeVisible({
    timeout: 60_000,
  });
  await again.close();
});
