import { create } from 'zustand';
import {
  defaultTrainConfig,
  parameters,
  type Parameter,
  type ParameterKey,
  type TrainConfig,
} from '../../shared/parameters';
import {
  emptyProject,
  type CaptionForm,
  type DraftValue,
  type Project,
  type TrainDraft,
} from '../../shared/settings';
import type { DatasetForm } from '../../shared/dataset-form';
import type { Prepared } from '../../shared/dataset-answers';
import { remember, takeAgain, takeBack, type Change } from './history';

/** The project's forms as typed: the one owner of what the tabs edit and what settings keep. */
export const useProject = create<Project>(() => emptyProject);

export function editDataset(change: Partial<DatasetForm>): void {
  useProject.setState(({ dataset }) => ({ dataset: { ...dataset, ...change } }));
}

export function editCaptioning(change: Partial<CaptionForm>): void {
  useProject.setState(({ captioning }) => ({ captioning: { ...captioning, ...change } }));
}

/** The draft with one parameter changed. A value at its default is not kept: the table says it already. */
export function withParameter(draft: TrainDraft, key: ParameterKey, value: DraftValue): TrainDraft {
  const { [key]: _, ...others } = draft;
  return value === parameters[key].default ? others : { ...others, [key]: value };
}

/** Every change of the parameters goes through here, so that it can be taken back. */
function changeTraining(change: Change, training: TrainDraft): void {
  remember(change, useProject.getState().training, training);
  useProject.setState({ training });
}

const chosen: ReadonlySet<Parameter['kind']> = new Set(['toggle', 'choice']);

export function editParameter(key: ParameterKey, value: DraftValue): void {
  const { label, kind } = parameters[key];
  changeTraining(
    { label, field: key, typed: !chosen.has(kind) },
    withParameter(useProject.getState().training, key, value),
  );
}

/** Several parameters at once: one step to take back. `what` they are together, for the undo button. */
export function editParameters(
  values: readonly (readonly [key: ParameterKey, value: DraftValue])[],
  what: string,
): void {
  const training = values.reduce(
    (draft, [key, value]) => withParameter(draft, key, value),
    useProject.getState().training,
  );
  changeTraining({ label: what }, training);
}

/** Puts parameters back to their defaults. `what` they are together, for the undo button. */
export function resetParameters(keys: readonly ParameterKey[], what: string): void {
  const { training } = useProject.getState();
  const kept = Object.entries(training).filter(([key]) => !keys.includes(key as ParameterKey));
  const [first, ...others] = keys;
  const one = others.length === 0 && first !== undefined ? { field: first } : {};
  changeTraining({ label: `Reset of ${what}`, ...one }, Object.fromEntries(kept));
}

/** All parameters at once, as a preset or a file has them. Values at their default are not kept. */
export function replaceTraining(config: TrainConfig, what = 'All parameters'): void {
  const kept = Object.entries(config).filter(
    ([key, value]) => value !== parameters[key as ParameterKey].default,
  );
  changeTraining({ label: what }, Object.fromEntries(kept));
}

/** Points captioning and training at what was prepared, as Kohya's "Copy info to respective fields" does. */
export function adoptPrepared(prepared: Prepared): void {
  const { imagesFolder, train_data_dir, reg_data_dir, output_dir, logging_dir } = prepared;
  editCaptioning({ image_dir: imagesFolder });
  editParameters(
    [
      ['train_data_dir', train_data_dir],
      ['reg_data_dir', reg_data_dir],
      ['output_dir', output_dir],
      ['logging_dir', logging_dir],
    ],
    'Folders of the prepared project',
  );
}

/** Takes the last change of the parameters back. The field that it was made in, where it was one. */
export function undo(): ParameterKey | null {
  const step = takeBack();
  if (step === null) return null;
  useProject.setState({ training: step.before });
  return (step.field as ParameterKey | undefined) ?? null;
}

/** Makes the change again that was taken back last. */
export function redo(): ParameterKey | null {
  const step = takeAgain();
  if (step === null) return null;
  useProject.setState({ training: step.after });
  return (step.field as ParameterKey | undefined) ?? null;
}

/** Typed loosely on purpose: a draft may hold what `trainConfigSchema` will refuse. */
export const configOf = (draft: TrainDraft): TrainConfig =>
  ({ ...defaultTrainConfig, ...draft }) as TrainConfig;
