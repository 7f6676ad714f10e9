import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { answerOpenDialog, expect, launch, test } from './support/app';
import { portraitPhotos } from './support/sample';

/** Drops files and folders as the system does, on the middle of something. */
async function drop(page: Page, target: ReturnType<Page['locator']>, files: readonly string[]) {
  const box = await target.boundingBox();
  if (box === null) throw new Error('There is nothing to drop on.');
  const place = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [...files], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, ...place, data });
  await session.detach();
}

/** Photos of two subjects: four and three of the portraits, all with names of the first four. */
async function twoSubjects(home: string) {
  const photos = (await readdir(portraitPhotos))
    .filter((name) => /\.(?:jpe?g|png)$/iu.test(name))
    .sort();
  const [anna, berta] = [join(home, 'anna'), join(home, 'berta')];
  for (const [folder, count] of [
    [anna, 4],
    [berta, 3],
  ] as const) {
    await mkdir(folder);
    for (const name of photos.slice(0, count))
      await cp(join(portraitPhotos, name), join(folder, name));
  }
  await writeFile(join(anna, 'notes.md'), 'no picture');
  return { anna, berta, names: photos };
}

const prepareButton = (page: Page) => page.getByRole('button', { name: 'Prepare training data' });
const preview = (page: Page) => page.getByRole('group', { name: 'Preview' });

async function emptyForm(page: Page) {
  for (const label of [
    'Instance prompt',
    'Class prompt',
    'Training images folder',
    'Regularisation images folder',
    'Destination training directory',
  ])
    await page.getByLabel(label).fill('');
}

test('two concepts from nothing: dropped, planned, prepared, undone, left over, balanced', async ({
  atelier,
  home,
}) => {
  test.setTimeout(180_000);
  const { page, userData } = atelier;
  const { anna, berta, names } = await twoSubjects(home);
  const destination = join(home, 'project');
  const img = join(destination, 'img');
  await emptyForm(page);

  await test.step('photos and a prompt that is mended', async () => {
    await drop(page, page.getByRole('region', { name: 'Images', exact: true }), [
      anna,
      join(anna, 'notes.md'),
    ]);
    await expect(page.getByLabel('Training images folder')).toHaveValue(anna);
    await expect(page.getByText(/no pictures: notes\.md/u)).toBeVisible();
    await page.getByLabel('Instance prompt').fill('anna/x');
    await page.getByLabel('Class prompt').fill('woman');
    await expect(
      page.getByText(/called “10_anna x woman”: its name cannot hold \//u),
    ).toBeVisible();
    await page.getByLabel('Instance prompt').fill('anna');
    await expect(page.getByText(/its name cannot hold/u)).toHaveCount(0);
  });

  await test.step('a second concept, with what is dropped on its card', async () => {
    await page.getByRole('button', { name: 'Add concept' }).click();
    const second = page.getByRole('region', { name: 'Concept 2' });
    await drop(page, second.getByRole('button', { name: 'Concept 2', exact: true }), [
      berta,
      join(anna, names[3] ?? ''),
    ]);
    await expect(page.getByLabel('Training images folder')).toHaveValue(berta);
    await expect(page.getByText('1 picture of anna')).toBeVisible();
    await page.getByLabel('Instance prompt').fill('anna');
    await page.getByLabel('Class prompt').fill('woman');
    await page.getByLabel('Destination training directory').fill(destination);
    await expect(
      page.getByText(/^Concept 1 goes into the folder 10_anna woman too/u),
    ).toBeVisible();
    await expect(prepareButton(page)).toBeDisabled();
    await page.getByLabel('Instance prompt').fill('berta');
    await expect(prepareButton(page)).toBeEnabled();
  });

  await test.step('the plan says what will be made of each', async () => {
    await expect(preview(page).getByText(/^4 images × 10, \d+ steps/u)).toHaveCount(2);
    await expect(preview(page).getByText(join('img', '10_berta woman'))).toBeVisible();
    expect(await readdir(home)).not.toContain('project');
  });

  await test.step('prepared, undone, and prepared again', async () => {
    await prepareButton(page).click();
    await expect(page.getByText('8 images copied.')).toBeVisible();
    expect((await readdir(img)).sort()).toEqual(['10_anna woman', '10_berta woman']);
    await writeFile(join(img, '10_berta woman', 'mine.txt'), 'written since');
    await page.getByRole('button', { name: 'Undo: Prepared 8 images' }).click();
    await expect(
      page.getByText(/8 files removed\. What was added there since stays/u),
    ).toBeVisible();
    expect(await readdir(img)).toEqual(['10_berta woman']);
    expect(await readFile(join(img, '10_berta woman', 'mine.txt'), 'utf8')).toBe('written since');
    await page.getByText('Hard link').click();
    await expect(page.getByText(/editing one edits both/u)).toBeVisible();
    await expect(prepareButton(page)).toBeEnabled();
    await prepareButton(page).click();
    await expect(page.getByText('8 images linked.')).toBeVisible();
  });

  await test.step('repeats are balanced, shown first', async () => {
    await page.getByRole('button', { name: 'Balance repeats' }).click();
    const dialog = page.getByRole('dialog', { name: 'Balance repeats' });
    await dialog.getByLabel('Training steps per concept per epoch').fill('100');
    await expect(dialog.getByRole('row', { name: 'berta woman 4 10 25 100' })).toBeVisible();
    await dialog.getByRole('button', { name: 'Use these repeats' }).click();
    await expect(preview(page).getByText(/^4 images × 25, \d+ steps/u)).toHaveCount(2);
  });

  await test.step('what the repeats of before left is renamed or moved aside, never deleted', async () => {
    const left = page.getByText(/is there from an earlier|are there from an earlier/u);
    await expect(left).toContainText('img/10_anna woman (4 images), img/10_berta woman');
    await page.getByRole('button', { name: 'Rename 10_anna woman to 25_anna woman' }).click();
    await expect(left).toContainText('img/10_berta woman (4 images) is there');
    await page.getByRole('button', { name: 'Move aside' }).click();
    await expect(left).toHaveCount(0);
    expect(await readdir(img)).toEqual(['25_anna woman']);
    expect(await readdir(join(destination, 'set-aside', 'img'))).toEqual(['10_berta woman']);
  });

  await test.step('undo is there after a restart', async () => {
    await atelier.close();
    const again = await launch(home, { userData });
    await again.page.getByRole('button', { name: 'Undo: Moved 10_berta woman aside' }).click();
    await expect(again.page.getByText('1 folder moved back.')).toBeVisible();
    expect((await readdir(img)).sort()).toEqual(['10_berta woman', '25_anna woman']);

    await again.page.getByRole('button', { name: 'Balance repeats' }).click();
    const dialog = again.page.getByRole('dialog', { name: 'Balance repeats' });
    await dialog.getByText('Folders that exist').click();
    await dialog.getByLabel('Folder of <repeats>_<name> folders').fill(img);
    await dialog.getByLabel('Training steps per concept per epoch').fill('80');
    await expect(dialog.getByRole('row', { name: '10_berta woman 4 10 20 80' })).toBeVisible();
    await dialog.getByRole('button', { name: 'Rename folders' }).click();
    await expect(again.page.getByText('2 folders renamed')).toBeVisible();
    expect((await readdir(img)).sort()).toEqual(['20_anna woman', '20_berta woman']);
    await again.page.getByRole('button', { name: 'Undo', exact: true }).click();
    await expect(again.page.getByText('2 folders moved back.')).toBeVisible();
    expect((await readdir(img)).sort()).toEqual(['10_berta woman', '25_anna woman']);
    await again.close();
  });
});

test('concepts are added, chosen for and removed; removing is taken back', async ({
  atelier: { app, page },
  home,
}) => {
  const { anna, berta } = await twoSubjects(home);
  await page.getByRole('button', { name: 'More images' }).click();
  await answerOpenDialog(app, anna);
  await page.getByRole('menuitem', { name: 'Another folder…' }).click();
  const more = page.getByRole('list', { name: 'More images' });
  await expect(more.getByRole('listitem')).toHaveText([/anna/u]);
  await page.getByLabel('Which folder to show').selectOption('anna');
  await expect(page.getByText('4 images,').first()).toBeVisible();
  await page.getByRole('button', { name: 'Take out anna' }).click();
  await expect(more).toHaveCount(0);

  await page.getByRole('button', { name: 'Add concept' }).click();
  await page.getByLabel('Training images folder').fill(berta);
  await page.getByLabel('Instance prompt').fill('berta');
  await page.getByLabel('Class prompt').fill('woman');
  await page.getByRole('button', { name: /^nova woman/u }).click();
  await expect(page.getByLabel('Instance prompt')).toHaveValue('nova');
  await page.getByRole('button', { name: 'Remove berta woman' }).click();
  await expect(page.getByRole('button', { name: 'Remove nova woman' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(page.getByRole('region', { name: 'berta woman' })).toBeVisible();
});
