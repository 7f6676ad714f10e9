import { foldersOf, type ConceptForm } from '../../../shared/dataset-form';

export type PhotoSource = 'training' | 'regularization';

/** A folder whose pictures are shown. */
export interface Place {
  readonly folder: string;
  /** The pictures in it that count; null when all do. */
  readonly files: readonly string[] | null;
}

/** The folder of a path of either system. */
const parentOf = (path: string): string => path.replace(/[\\/][^\\/]*$/u, '') || path;

export function placesOf(concept: ConceptForm | undefined, source: PhotoSource): Place[] {
  if (concept === undefined) return [];
  if (source === 'regularization')
    return concept.regularizationFolder === ''
      ? []
      : [{ folder: concept.regularizationFolder, files: null }];
  const folders = foldersOf(concept).map((folder) => ({ folder, files: null }));
  return [...folders, ...filePlaces(concept.files)];
}

/** Single pictures, by the folder that they are in. */
export function filePlaces(files: readonly string[]): { folder: string; files: string[] }[] {
  const places = new Map<string, string[]>();
  for (const file of files) {
    const folder = parentOf(file);
    places.set(folder, [...(places.get(folder) ?? []), file]);
  }
  return [...places].map(([folder, inside]) => ({ folder, files: inside }));
}
