import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { answerOpenDialog, answerSaveDialog, expect, test } from './support/app';
import { findings } from './support/axe';

const choose = async (page: Page, item: RegExp) => {
  await page.getByRole('button', { name: 'Configuration' }).click();
  await page.getByRole('menuitem', { name: item }).click();
};

test('a configuration of kohya_ss is looked at, left, used, and saved as sd-scripts reads it', async ({
  atelier: { app, page },
  home,
}) => {
  await page.getByRole('tab', { name: 'Parameters' }).click();
  const rank = page.getByRole('textbox', { name: 'Network Rank (Dimension)' });
  const before = await rank.inputValue();

  const file = join(home, 'nova.json');
  const config = { network_dim: '48', max_grad_norm: 0, fp8_base: true, full_fp16: true, mine: 1 };
  await writeFile(file, JSON.stringify(config));
  await answerOpenDialog(app, file);
  await choose(page, /^Open/u);
  const report = page.getByRole('dialog', { name: 'nova.json' });
  await expect(report.getByRole('button', { name: /^Changed 1/u })).toBeVisible();
  await expect(report.getByText('full_fp16 is true, which has no effect')).toBeVisible();
  await expect(report.getByRole('button', { name: /^Not known 1/u })).toBeVisible();
  await report.getByRole('button', { name: /^Taken 3/u }).click();
  await expect(report.getByText('Max grad norm')).toBeVisible();

  expect(await findings(page)).toEqual([]);

  await report.getByText('Leave things as they are', { exact: true }).click();
  await expect(report).toBeHidden();
  await expect(rank).toHaveValue(before);

  await choose(page, /^Open/u);
  await report.getByRole('button', { name: 'Use it' }).click();
  await expect(rank).toHaveValue('48');
  await expect(page.getByRole('textbox', { name: 'Max grad norm' })).toHaveValue('0');

  await answerSaveDialog(app, join(home, 'out'));
  await choose(page, /TOML/u);
  await expect(page.getByText('Saved as sd-scripts TOML')).toBeVisible();
  const saved = await readFile(join(home, 'out.toml'), 'utf8');
  expect(saved).toContain('network_dim = 48');
  expect(saved).toContain('max_grad_norm = 0');

  // The dialog has asked about "out", not about the file that it would become.
  await choose(page, /TOML/u);
  await expect(page.getByRole('alert').getByText('out.toml is there already.')).toBeVisible();
});

test('a broken file and one of a dataset are refused with what is wrong', async ({
  atelier: { app, page },
  home,
}) => {
  await page.getByRole('tab', { name: 'Parameters' }).click();
  await writeFile(join(home, 'half.json'), '{\n  "epoch": 1,\n  "netw');
  await answerOpenDialog(app, join(home, 'half.json'));
  await choose(page, /^Open/u);
  await expect(page.getByText(/half\.json is not whole JSON.*line 3, column/u)).toBeVisible();

  await writeFile(join(home, 'data.toml'), '[[datasets]]\nresolution = 1024\n');
  await answerOpenDialog(app, join(home, 'data.toml'));
  await choose(page, /^Open/u);
  await expect(page.getByText('data.toml describes a dataset, not a training.')).toBeVisible();
});
