import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import {
  conceptSchema,
  emptyConcept,
  type ConceptForm,
  type DatasetForm,
} from '../../shared/dataset-form';
import type { PreparationPlan, Undone } from '../../shared/dataset-answers';
import { defaultTrainConfig, type TrainConfig } from '../../shared/parameters';
import { ProblemError } from '../../shared/result';
import { fileProblem } from '../lib/file-problem';
import { FolderHistory } from '../services/folder-history';
import { Preparation } from '../services/preparation';
import { Thumbnails } from '../services/thumbnails';
import type { Context } from './context';
import { createWorker } from './plan';
import { print, printAside, printProblem } from './print';

export interface PrepareOptions {
  readonly instancePrompt: string | undefined;
  readonly classPrompt: string | undefined;
  readonly images: readonly string[] | undefined;
  readonly repeats: number | undefined;
  readonly reg: string | undefined;
  readonly regRepeats: number | undefined;
  readonly concepts: string | undefined;
  readonly link: boolean;
  readonly dryRun: boolean;
  readonly undo: boolean;
}

interface PreparationPlaces {
  readonly thumbnails: string;
  readonly config: TrainConfig;
}

export const createHistory = ({ locations, log }: Context): FolderHistory =>
  new FolderHistory(join(locations.dataFolder, 'preparations'), log);

/** Preparing without a window; to be disposed of. */
export function createPreparation(
  context: Context,
  { thumbnails, config }: PreparationPlaces,
): { readonly preparation: Preparation; readonly dispose: () => void } {
  const worker = createWorker(context);
  const preparation = new Preparation({
    thumbnails: new Thumbnails(thumbnails, (path, thumbnail) =>
      worker.ask('picture', { path, thumbnail }),
    ),
    history: createHistory(context),
    makePlan: (trainConfig, concepts) => worker.ask('plan', { config: trainConfig, concepts }),
    trainConfig: () => config,
    onProgress: () => undefined,
  });
  return { preparation, dispose: () => worker.dispose() };
}

/** `prepare DESTINATION`: pictures into Kohya's layout. */
export async function prepareCommand(
  context: Context,
  destination: string,
  options: PrepareOptions,
): Promise<number> {
  const root = resolve(destination);
  const { preparation, dispose } = createPreparation(context, {
    thumbnails: join(context.locations.dataFolder, 'thumbnails'),
    config: defaultTrainConfig,
  });
  try {
    if (options.undo) {
      printUndone(await preparation.undo(root));
      return 0;
    }
    const form: DatasetForm = {
      concepts: await conceptsOf(options),
      destination: root,
      transfer: options.link ? 'link' : 'copy',
    };
    const plan = await preparation.plan(form);
    printPreparation(plan);
    if (plan.problems.length > 0) return 1;
    if (options.dryRun) return 0;
    const { copied, linked, kept } = await preparation.prepare(form);
    print(`Copied ${String(copied)}, linked ${String(linked)}, there already ${String(kept)}.`);
    return 0;
  } finally {
    dispose();
  }
}

export function printUndone({ title, removed, movedBack, stayed }: Undone): void {
  print(
    `Undone: ${title}. ${String(removed)} files removed, ${String(movedBack)} folders moved back.`,
  );
  for (const problem of stayed) printProblem('Stays', problem);
}

async function conceptsOf(options: PrepareOptions): Promise<ConceptForm[]> {
  if (options.concepts === undefined)
    return [
      {
        ...emptyConcept,
        instancePrompt: options.instancePrompt ?? '',
        classPrompt: options.classPrompt ?? '',
        folders: (options.images ?? []).map((folder) => resolve(folder)),
        repeats: options.repeats ?? emptyConcept.repeats,
        regularizationFolder: options.reg === undefined ? '' : resolve(options.reg),
        regularizationRepeats: options.regRepeats ?? emptyConcept.regularizationRepeats,
      },
    ];
  const text = await readFile(options.concepts, 'utf8').catch((error: unknown) => {
    throw fileProblem(error, options.concepts ?? '');
  });
  return parseConcepts(text, options.concepts).map((concept) => ({
    ...concept,
    folders: concept.folders.map((folder) => resolve(folder)),
    files: concept.files.map((file) => resolve(file)),
    regularizationFolder:
      concept.regularizationFolder === '' ? '' : resolve(concept.regularizationFolder),
  }));
}

const conceptsSchema = z.array(conceptSchema.partial()).min(1);

function parseConcepts(text: string, file: string): ConceptForm[] {
  const hint =
    'It must be a list such as [{"instancePrompt": "sks", "classPrompt": "woman", "folders": ["photos"]}].';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ProblemError('bad_concepts', `${file} is not JSON.`, hint);
  }
  const parsed = conceptsSchema.safeParse(json);
  if (parsed.success)
    return parsed.data.map((concept) => conceptSchema.parse({ ...emptyConcept, ...concept }));
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new ProblemError('bad_concepts', `${file}: ${where}: ${issue?.message ?? ''}`, hint);
}

function printPreparation({ folders, leftovers, plan, warnings, problems }: PreparationPlan): void {
  for (const { concept, problem } of problems)
    printProblem(concept === null ? 'Error' : `Error in concept ${String(concept + 1)}`, problem);
  for (const { path, images, repeats, added, bytes, exists } of folders)
    print(
      `${path}${exists ? ' (exists)' : ''}` +
        (repeats > 0
          ? `: ${String(images)} images x ${String(repeats)}; ${String(added)} to bring, ${String(bytes)} bytes`
          : ''),
    );
  if (plan !== null) print(`${String(plan.stepsPerEpoch)} steps an epoch`);
  for (const { path, images } of leftovers)
    printAside(
      `Warning: ${path} is there from an earlier preparation; its ${String(images)} images will be trained on too.`,
    );
  for (const warning of warnings) printProblem('Warning', warning);
}
