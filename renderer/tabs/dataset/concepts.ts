import { create } from 'zustand';
import type { Dropped } from '../../../shared/dataset-answers';
import {
  emptyConcept,
  foldersOf,
  hasSources,
  type ConceptForm,
  type DatasetForm,
} from '../../../shared/dataset-form';
import { joinPrompts } from '../../../shared/kohya/folder-name';
import { call } from '../../api';
import { attempt, notifyDone } from '../../app/notify';
import { editDataset, useProject } from '../../app/project';
import { baseName, formatQuantity } from '../../format';

interface View {
  /** The concept whose fields are open and whose pictures are shown; null when all are folded. */
  readonly open: number | null;
  /** Which of its folders is shown. */
  readonly place: number;
}

export const useView = create<View>(() => ({ open: 0, place: 0 }));

export const openConcept = (open: number | null): void => useView.setState({ open, place: 0 });

/** The concept that pictures are shown of, and that takes what is dropped on the window. */
export const activeOf = ({ open }: View, { concepts }: DatasetForm): number =>
  Math.min(open ?? 0, concepts.length - 1);

const dataset = (): DatasetForm => useProject.getState().dataset;

export function editConcept(index: number, change: Partial<ConceptForm>): void {
  const concepts = dataset().concepts.map((concept, other) =>
    other === index ? { ...concept, ...change } : concept,
  );
  editDataset({ concepts });
}

export function addConcept(): void {
  const { concepts } = dataset();
  // A second subject is mostly of the same class, or at least as many times.
  const repeats = concepts.at(-1)?.repeats ?? emptyConcept.repeats;
  editDataset({ concepts: [...concepts, { ...emptyConcept, repeats }] });
  openConcept(concepts.length);
}

export function removeConcept(index: number): void {
  const before = dataset();
  const name = conceptName(before.concepts[index], index);
  const concepts = before.concepts.filter((_, other) => other !== index);
  editDataset({ concepts });
  openConcept(concepts.length === 1 ? 0 : null);
  offerUndo(`${name} is removed`, 'Its folders and images stay as they are.', before);
}

/** What a concept is called where it is one of several. */
export function conceptName(concept: ConceptForm | undefined, index: number): string {
  const prompt = concept && joinPrompts(concept.instancePrompt, concept.classPrompt).trim();
  return prompt === undefined || prompt === '' ? `Concept ${index + 1}` : prompt;
}

/** Says what was changed in the form, and takes it back when that is wished. */
export function offerUndo(title: string, message: string, before: DatasetForm): void {
  notifyDone({
    title,
    message,
    action: { label: 'Undo', run: () => editDataset(before) },
  });
}

/** Takes what was dropped or chosen as the images of a concept, instead of those it has or beside them. */
export function takeImages(index: number, paths: readonly string[], how: 'add' | 'replace'): void {
  attempt(async () => {
    const dropped = await call('datasets:sortDropped', { paths: [...paths] });
    const before = dataset();
    const concept = before.concepts[index];
    if (concept === undefined) return;
    const { folders, pictures } = dropped;
    const left = leftOut(dropped);
    if (folders.length + pictures.length === 0) {
      notifyDone({ title: 'There are no pictures among this', message: left });
      return;
    }
    const had = how === 'add' ? concept : emptyConcept;
    editConcept(index, {
      folders: [...new Set([...foldersOf(had), ...folders])],
      files: [...new Set([...had.files, ...pictures])],
    });
    const added = how === 'add' && hasSources(concept);
    if (hasSources(concept) || left !== '') {
      const where = before.concepts.length > 1 ? ` of ${conceptName(concept, index)}` : '';
      offerUndo(
        added ? `Images${where} added` : `Images${where} chosen`,
        `${describeDropped(dropped)} ${left}`.trim(),
        before,
      );
    }
    openConcept(index);
  });
}

function describeDropped({ folders, pictures }: Dropped): string {
  const parts = [
    ...folders.map(baseName).slice(0, 3),
    ...(folders.length > 3 ? [formatQuantity(folders.length - 3, 'more folder')] : []),
    ...(pictures.length > 0 ? [formatQuantity(pictures.length, 'picture')] : []),
  ];
  return `${parts.join(', ')}.`;
}

function leftOut({ others }: Dropped): string {
  if (others.length === 0) return '';
  const names = others.slice(0, 3).map(baseName).join(', ');
  const more = others.length > 3 ? ` and ${others.length - 3} more` : '';
  return `Left out, because they are no pictures: ${names}${more}.`;
}

/** Another folder, or single pictures, from the system's dialog. */
export function chooseImages(index: number, kind: 'folders' | 'pictures'): void {
  attempt(async () => {
    const concept = dataset().concepts[index];
    const startIn = concept?.folders[0] ?? '';
    const title = kind === 'folders' ? 'Add folders of images' : 'Add pictures';
    const { paths } = await call('dialog:chooseImages', { kind, title, startIn });
    if (paths.length > 0) takeImages(index, paths, 'add');
  });
}
