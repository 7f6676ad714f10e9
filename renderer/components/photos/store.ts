import { create } from 'zustand';
import type { ImageInfo } from '../../../shared/dataset-answers';
import { noEdit, type PictureEdit } from '../../../shared/picture-edits';
import { call } from '../../api';
import { useProject } from '../../app/project';

/** Sides of a tile in pixels, smallest and largest. */
export const tileSizes = [96, 320] as const;

interface PhotoStore {
  readonly tileSize: number;
  /** What edits were before they were changed, the last change at the end. */
  readonly before: readonly EditStep[];
}

interface EditStep {
  readonly path: string;
  readonly edit: PictureEdit;
}

export const usePhotos = create<PhotoStore>(() => ({ tileSize: 140, before: [] }));

/** Tells whoever shows pictures that one of them is another now. */
type OnEdited = (image: ImageInfo) => void;
const listeners = new Set<OnEdited>();

/** Returns the function that ends it. */
export function onEdited(listener: OnEdited): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

async function write(image: ImageInfo, edit: PictureEdit): Promise<void> {
  const { caption_extension: captionExtension } = useProject.getState().captioning;
  const edited = await call('datasets:editPicture', { imageId: image.id, captionExtension, edit });
  for (const listener of listeners) listener(edited);
}

/** Turns and crops a picture beside itself, so that it can be undone. */
export async function editPicture(image: ImageInfo, edit: PictureEdit): Promise<void> {
  await write(image, edit);
  const step = { path: image.path, edit: image.edit ?? noEdit };
  usePhotos.setState(({ before }) => ({ before: [...before, step] }));
}

/** Takes the last change of an edit back. `imageOf` finds a picture that is shown by its path. */
export async function undoEdit(imageOf: (path: string) => ImageInfo | undefined): Promise<void> {
  const { before } = usePhotos.getState();
  const step = [...before].reverse().find(({ path }) => imageOf(path) !== undefined);
  const image = step && imageOf(step.path);
  if (step === undefined || image === undefined) return;
  await write(image, step.edit);
  usePhotos.setState({ before: before.filter((other) => other !== step) });
}
