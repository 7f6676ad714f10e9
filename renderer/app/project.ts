import { create } from 'zustand';
import { parameters, defaultTrainConfig, type ParameterKey } from '../../shared/parameters';
import type { TrainConfig } from '../../shared/parameters';
import {
  emptyProject,
  type CaptionForm,
  type DatasetForm,
  type DraftValue,
  type Project,
  type TrainDraft,
} from '../../shared/settings';
import type { Prepared } from '../../shared/contract';

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

export function editParameter(key: ParameterKey, value: DraftValue): void {
  useProject.setState(({ training }) => ({ training: withParameter(training, key, value) }));
}

/** All parameters at once, as a preset or a file has them. Values at their default are not kept. */
export function replaceTraining(config: TrainConfig): void {
  const kept = Object.entries(config).filter(
    ([key, value]) => value !== parameters[key as ParameterKey].default,
  );
  useProject.setState({ training: Object.fromEntries(kept) });
}

/** Points captioning and training at what was prepared, as Kohya's "Copy info to respective fields" does. */
export function adoptPrepared(prepared: Prepared): void {
  const { imagesFolder, train_data_dir, reg_data_dir, output_dir, logging_dir } = prepared;
  editCaptioning({ image_dir: imagesFolder });
  const folders = { train_data_dir, reg_data_dir, output_dir, logging_dir } as const;
  for (const [key, value] of Object.entries(folders))
    editParameter(key as keyof typeof folders, value);
}

/** Typed loosely on purpose: a draft may hold what `trainConfigSchema` will refuse. */
export const configOf = (draft: TrainDraft): TrainConfig =>
  ({ ...defaultTrainConfig, ...draft }) as TrainConfig;
