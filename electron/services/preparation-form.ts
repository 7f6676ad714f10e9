import { stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { PreparationPlan } from '../../shared/dataset-answers';
import {
  datasetLabels,
  foldersOf,
  hasSources,
  type ConceptForm,
  type DatasetField,
  type DatasetForm,
} from '../../shared/dataset-form';
import {
  isSameName,
  joinPrompts,
  makeFolderName,
  mendPrompt,
} from '../../shared/kohya/folder-name';
import type { Problem } from '../../shared/result';
import { isInside, realPathOf } from '../lib/paths';

export type FieldProblem = PreparationPlan['problems'][number];

/** One folder of Kohya's layout, and the folders and files whose pictures go there. */
export interface Target {
  readonly role: 'img' | 'reg';
  readonly field: 'folders' | 'regularizationFolder';
  /** The concepts whose pictures these are. */
  readonly concepts: readonly number[];
  readonly folders: readonly string[];
  readonly files: readonly string[];
  readonly repeats: number;
  readonly prompt: string;
  readonly path: string;
}

const MAX_REPEATS = 10_000;

type Where = Pick<FieldProblem, 'concept' | 'field'>;

const problem = (where: Where, code: string, message: string, hint?: string): FieldProblem => ({
  ...where,
  problem: hint === undefined ? { code, message } : { code, message, hint },
});

const atDestination: Where = { concept: null, field: 'destination' };

/** What the form says is to be made. Only meaningful for a form without problems. */
export function targetsOf({ concepts, destination }: DatasetForm): Target[] {
  const images = concepts.map((concept, index): Target => {
    const prompt = joinPrompts(concept.instancePrompt, concept.classPrompt);
    const repeats = concept.repeats ?? 1;
    return {
      role: 'img',
      field: 'folders',
      concepts: [index],
      folders: foldersOf(concept),
      files: concept.files,
      repeats,
      prompt,
      path: join(destination, 'img', makeFolderName({ repeats, prompt })),
    };
  });
  const regularization = new Map<string, Target>();
  for (const [index, concept] of concepts.entries()) {
    const target = regularizationOf(concept, index, destination);
    if (target === null) continue;
    const key = target.path.toLowerCase();
    const shared = regularization.get(key);
    regularization.set(key, shared === undefined ? target : joined(shared, target));
  }
  return [...images, ...regularization.values()];
}

function regularizationOf(
  { classPrompt, regularizationFolder, regularizationRepeats }: ConceptForm,
  index: number,
  destination: string,
): Target | null {
  if (regularizationFolder === '') return null;
  const { prompt } = mendPrompt(classPrompt);
  const repeats = regularizationRepeats ?? 1;
  return {
    role: 'reg',
    field: 'regularizationFolder',
    concepts: [index],
    folders: [regularizationFolder],
    files: [],
    repeats,
    prompt,
    path: join(destination, 'reg', makeFolderName({ repeats, prompt })),
  };
}

/** Concepts of one class share a folder of regularization pictures. */
const joined = (one: Target, other: Target): Target => ({
  ...one,
  concepts: [...one.concepts, ...other.concepts],
  folders: [...new Set([...one.folders, ...other.folders])],
});

/** What is wrong with the fields themselves, without a look at the pictures. */
export function checkFields(form: DatasetForm): FieldProblem[] {
  return [
    ...form.concepts.flatMap((concept, index) => checkConcept(concept, index)),
    ...checkNames(form.concepts),
    ...checkDestination(form.destination),
  ];
}

function checkConcept(concept: ConceptForm, index: number): FieldProblem[] {
  const hasRegularization = concept.regularizationFolder !== '';
  return [
    ...checkPrompt({ concept: index, field: 'instancePrompt' }, concept.instancePrompt),
    ...checkPrompt({ concept: index, field: 'classPrompt' }, concept.classPrompt),
    ...(hasSources(concept) ? [] : [noSource(index)]),
    ...checkRepeats({ concept: index, field: 'repeats' }, concept.repeats),
    ...(hasRegularization
      ? checkRepeats(
          { concept: index, field: 'regularizationRepeats' },
          concept.regularizationRepeats,
        )
      : []),
  ];
}

const noSource = (concept: number): FieldProblem =>
  problem(
    { concept, field: 'folders' },
    'folder_not_chosen',
    'No images are chosen.',
    'Choose a folder of pictures.',
  );

function checkPrompt(where: Where & { field: DatasetField }, typed: string): FieldProblem[] {
  const label = datasetLabels[where.field];
  if (mendPrompt(typed).prompt !== '') return [];
  const message =
    typed.trim() === ''
      ? `${label} is empty.`
      : `${label} holds nothing that a folder’s name may hold.`;
  return [problem(where, 'prompt_missing', message, 'It becomes part of the folder’s name.')];
}

function checkRepeats(
  where: Where & { field: DatasetField },
  repeats: number | null,
): FieldProblem[] {
  if (repeats !== null && Number.isInteger(repeats) && repeats >= 1 && repeats <= MAX_REPEATS)
    return [];
  const message = `${datasetLabels[where.field]} must be a whole number from 1 to ${String(MAX_REPEATS)}.`;
  return [problem(where, 'repeats_invalid', message)];
}

/** Two concepts in one folder would be one concept. */
function checkNames(concepts: readonly ConceptForm[]): FieldProblem[] {
  const names = concepts.map(({ instancePrompt, classPrompt, repeats }) =>
    makeFolderName({ repeats: repeats ?? 1, prompt: joinPrompts(instancePrompt, classPrompt) }),
  );
  return names.flatMap((name, index) => {
    const first = names.findIndex((other) => isSameName(other, name));
    const isNamed = concepts[index]?.instancePrompt.trim() !== '';
    if (first === index || !isNamed) return [];
    return [
      problem(
        { concept: index, field: 'instancePrompt' },
        'concept_twice',
        `Concept ${String(first + 1)} goes into the folder ${name} too.`,
        'Give this one another prompt, or add its images to that one.',
      ),
    ];
  });
}

function checkDestination(destination: string): FieldProblem[] {
  if (destination.trim() === '')
    return [
      problem(
        atDestination,
        'destination_missing',
        `${datasetLabels.destination} is empty.`,
        'The prepared folders go there.',
      ),
    ];
  if (!isAbsolute(destination))
    return [
      problem(
        atDestination,
        'destination_relative',
        `${datasetLabels.destination}: ${destination} is not a full path.`,
      ),
    ];
  return [];
}

/** What is wrong with where the folders lie: nothing may be copied into itself. Links are followed first. */
export async function checkPlaces(
  form: DatasetForm,
  targets: readonly Target[],
): Promise<FieldProblem[]> {
  const destination = await stat(form.destination).catch(() => null);
  if (destination !== null && !destination.isDirectory())
    return [problem(atDestination, 'not_a_folder', `${form.destination} is a file, not a folder.`)];
  const problems = await Promise.all(targets.map(checkPlace));
  return [...problems.flat(), ...(await checkRegularization(form.concepts))];
}

async function checkRegularization(concepts: readonly ConceptForm[]): Promise<FieldProblem[]> {
  const found = await Promise.all(
    concepts.map(async (concept, index) => {
      if (concept.regularizationFolder === '') return [];
      const regularization = await realPathOf(concept.regularizationFolder);
      const folders = await Promise.all(foldersOf(concept).map(realPathOf));
      if (!folders.includes(regularization)) return [];
      const message = `${datasetLabels.regularizationFolder} is the same folder as ${datasetLabels.folders}.`;
      return [
        problem(
          { concept: index, field: 'regularizationFolder' },
          'same_folder',
          message,
          'Choose pictures of the class in general, or leave the field empty.',
        ),
      ];
    }),
  );
  return found.flat();
}

async function checkPlace({
  field,
  concepts,
  folders,
  files,
  path,
}: Target): Promise<FieldProblem[]> {
  const where: Where = { concept: concepts[0] ?? 0, field };
  const to = await realPathOf(path);
  const hint = 'Choose another destination: pictures are copied, never moved.';
  const found = await Promise.all(
    folders.map(async (folder) => {
      const from = await realPathOf(folder);
      if (from === to) {
        const message = `${folder} is itself the folder that would be made.`;
        return [problem(where, 'source_is_target', message, hint)];
      }
      if (isInside(from, to)) {
        const message = `The new folder ${path} would lie inside ${folder}.`;
        return [problem(atDestination, 'target_in_source', message, hint)];
      }
      if (!isInside(to, from)) return [];
      const message = `${folder} lies inside ${path}, which would be filled.`;
      return [problem(where, 'source_in_target', message, hint)];
    }),
  );
  const parents = new Set(await Promise.all(files.map((file) => realPathOf(dirname(file)))));
  const inside = parents.has(to)
    ? [
        problem(
          where,
          'source_is_target',
          `${basename(path)} holds pictures of its own concept.`,
          hint,
        ),
      ]
    : [];
  return [...found.flat(), ...inside];
}

export const warning = (code: string, message: string, hint: string): Problem => ({
  code,
  message,
  hint,
});

/** The first few of some names. */
export const listed = (names: readonly string[]): string =>
  names.length <= 3
    ? names.join(', ')
    : `${names.slice(0, 3).join(', ')} and ${String(names.length - 3)} more`;
