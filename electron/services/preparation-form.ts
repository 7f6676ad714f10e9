import { stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { PreparationPlan } from '../../shared/dataset-answers';
import { illegalCharacter, joinPrompts, makeFolderName } from '../../shared/kohya/folder-name';
import type { Problem } from '../../shared/result';
import { datasetLabels, type DatasetForm } from '../../shared/settings';
import { isInside, realPathOf } from '../lib/paths';

export type FieldProblem = PreparationPlan['problems'][number];
type Field = FieldProblem['field'];

/** One folder of pictures on its way into Kohya's layout. */
export interface Source {
  readonly role: 'img' | 'reg';
  readonly field: 'imagesFolder' | 'regularizationFolder';
  readonly folder: string;
  readonly repeats: number;
  readonly prompt: string;
  readonly target: string;
}

const MAX_REPEATS = 10_000;

const problem = (field: Field, code: string, message: string, hint?: string): FieldProblem => ({
  field,
  problem: hint === undefined ? { code, message } : { code, message, hint },
});

/** What the form says is to be copied. Only meaningful for a form without problems. */
export function sourcesOf(form: DatasetForm): Source[] {
  const prompt = joinPrompts(form.instancePrompt, form.classPrompt);
  const classPrompt = form.classPrompt.trim();
  const repeats = form.repeats ?? 1;
  const images: Source = {
    role: 'img',
    field: 'imagesFolder',
    folder: form.imagesFolder,
    repeats,
    prompt,
    target: join(form.destination, 'img', makeFolderName({ repeats, prompt })),
  };
  if (form.regularizationFolder === '') return [images];
  const regularizationRepeats = form.regularizationRepeats ?? 1;
  const regularization: Source = {
    role: 'reg',
    field: 'regularizationFolder',
    folder: form.regularizationFolder,
    repeats: regularizationRepeats,
    prompt: classPrompt,
    target: join(
      form.destination,
      'reg',
      makeFolderName({ repeats: regularizationRepeats, prompt: classPrompt }),
    ),
  };
  return [images, regularization];
}

/** What is wrong with the fields themselves, without a look at the pictures. */
export function checkFields(form: DatasetForm): FieldProblem[] {
  return [
    ...checkPrompt('instancePrompt', form.instancePrompt),
    ...checkPrompt('classPrompt', form.classPrompt),
    ...checkRepeats('repeats', form.repeats),
    ...(form.regularizationFolder === ''
      ? []
      : checkRepeats('regularizationRepeats', form.regularizationRepeats)),
    ...checkDestination(form.destination),
  ];
}

function checkPrompt(field: Field, prompt: string): FieldProblem[] {
  const label = datasetLabels[field];
  if (prompt.trim() === '')
    return [
      problem(
        field,
        'prompt_missing',
        `${label} is empty.`,
        'It becomes part of the folder’s name.',
      ),
    ];
  const illegal = illegalCharacter(prompt);
  if (illegal === null) return [];
  const shown = illegal < ' ' ? 'a control character' : illegal;
  return [
    problem(
      field,
      'prompt_illegal',
      `${label} must not contain ${shown}${illegal === '.' ? ' at its end' : ''}.`,
      'It becomes part of a folder’s name, and systems forbid < > : " / \\ | ? * there.',
    ),
  ];
}

function checkRepeats(field: Field, repeats: number | null): FieldProblem[] {
  if (repeats !== null && Number.isInteger(repeats) && repeats >= 1 && repeats <= MAX_REPEATS)
    return [];
  return [
    problem(
      field,
      'repeats_invalid',
      `${datasetLabels[field]} must be a whole number from 1 to ${String(MAX_REPEATS)}.`,
    ),
  ];
}

function checkDestination(destination: string): FieldProblem[] {
  if (destination.trim() === '')
    return [
      problem(
        'destination',
        'destination_missing',
        `${datasetLabels.destination} is empty.`,
        'The prepared folders go there.',
      ),
    ];
  if (!isAbsolute(destination))
    return [
      problem(
        'destination',
        'destination_relative',
        `${datasetLabels.destination}: ${destination} is not a full path.`,
      ),
    ];
  return [];
}

/** What is wrong with where the folders lie: nothing may be copied into itself. Links are followed first. */
export async function checkPlaces(
  form: DatasetForm,
  sources: readonly Source[],
): Promise<FieldProblem[]> {
  const destination = await stat(form.destination).catch(() => null);
  if (destination !== null && !destination.isDirectory())
    return [problem('destination', 'not_a_folder', `${form.destination} is a file, not a folder.`)];
  const problems = await Promise.all(sources.map(checkPlace));
  const [images, regularization] = await Promise.all(
    sources.map(({ folder }) => realPathOf(folder)),
  );
  const isShared = regularization !== undefined && images === regularization;
  return [
    ...problems.flat(),
    ...(isShared
      ? [
          problem(
            'regularizationFolder',
            'same_folder',
            `${datasetLabels.regularizationFolder} is the same folder as ${datasetLabels.imagesFolder}.`,
            'Choose pictures of the class in general, or leave the field empty.',
          ),
        ]
      : []),
  ];
}

async function checkPlace({ field, folder, target }: Source): Promise<FieldProblem[]> {
  const [from, to] = await Promise.all([realPathOf(folder), realPathOf(target)]);
  const hint = 'Choose another destination: pictures are copied, never moved.';
  if (from === to)
    return [
      problem(
        field,
        'source_is_target',
        `${folder} is itself the folder that would be made.`,
        hint,
      ),
    ];
  if (isInside(from, to))
    return [
      problem(
        'destination',
        'target_in_source',
        `The new folder ${target} would lie inside ${folder}.`,
        hint,
      ),
    ];
  if (isInside(to, from))
    return [
      problem(
        field,
        'source_in_target',
        `${folder} lies inside ${target}, which would be filled.`,
        hint,
      ),
    ];
  return [];
}

export const warning = (code: string, message: string, hint: string): Problem => ({
  code,
  message,
  hint,
});
