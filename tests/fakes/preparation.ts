import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetFolders } from '../../electron/services/dataset-folders';
import { FolderHistory } from '../../electron/services/folder-history';
import { Preparation } from '../../electron/services/preparation';
import { Thumbnails } from '../../electron/services/thumbnails';
import type { PreparationProgress } from '../../shared/dataset-answers';
import { emptyConcept, type ConceptForm, type DatasetForm } from '../../shared/dataset-form';
import { defaultTrainConfig } from '../../shared/parameters';
import { emptyPlan } from './empty-plan';
import { recordingLog } from './recording-log';
import { tempFolder } from './temp-folder';

/** Pictures here are text; one is damaged when it says so. */
export async function setUpPreparation(
  pictures: Readonly<Record<string, string>> = { 'a.jpg': 'A', 'b.png': 'BB' },
) {
  const root = await tempFolder();
  const photos = join(root, 'photos');
  const concept: ConceptForm = {
    ...emptyConcept,
    instancePrompt: 'rihanna',
    classPrompt: 'woman',
    folders: [photos],
  };
  const form: DatasetForm = {
    concepts: [concept],
    destination: join(root, 'project'),
    transfer: 'copy',
  };
  await writeAll(photos, pictures);
  const asked: Parameters<ConstructorParameters<typeof Preparation>[0]['makePlan']>[] = [];
  const progress: PreparationProgress[] = [];
  const history = new FolderHistory(join(root, 'history'), recordingLog());
  const preparation = new Preparation({
    thumbnails: new Thumbnails(join(root, 'thumbnails'), async (path) => {
      const isDamaged = (await readFile(path, 'utf8')) === 'damaged';
      return { width: 8, height: 8, format: 'jpeg', problem: isDamaged ? 'It is damaged.' : null };
    }),
    history,
    makePlan: (...args) => {
      asked.push(args);
      return Promise.resolve(emptyPlan);
    },
    trainConfig: () => ({ ...defaultTrainConfig, sample_prompts: 'a cat --none' }),
    onProgress: (told) => progress.push(told),
  });
  return {
    root,
    photos,
    concept,
    form,
    history,
    preparation,
    folders: new DatasetFolders(history, preparation),
    asked,
    progress,
    target: join(form.destination, 'img', '20_rihanna woman'),
  };
}

/** The form with its first concept changed. */
export const withConcept = (form: DatasetForm, change: Partial<ConceptForm>): DatasetForm => ({
  ...form,
  concepts: form.concepts.map((concept, index) =>
    index === 0 ? { ...concept, ...change } : concept,
  ),
});

export async function writeAll(folder: string, files: Readonly<Record<string, string>>) {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}

/** Every file below a folder with its content. */
export async function readAll(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, name);
    if ((await stat(path)).isFile()) found[name] = await readFile(path, 'utf8');
  }
  return found;
}
