import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answerOpenDialog, expect, test } from './support/app';

test('a file is chosen, an optimizer typed or picked, a long group reached by its heading', async ({
  atelier: { app, page },
  home,
}) => {
  await page.getByRole('tab', { name: 'Parameters' }).click();
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
  await expect(page.getByText('Optimizer must not be empty.')).toBeVisible();

  await expect(page.getByRole('textbox', { name: 'Text Encoder 2 learning rate' })).toHaveAttribute(
    'placeholder',
    'Same as Text Encoder',
  );
  await links.getByRole('button', { name: 'Noise and loss' }).click();
  await expect(page.getByRole('heading', { name: 'Noise and loss' })).toBeInViewport();
});
