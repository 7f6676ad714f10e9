import type { ImageInfo, ReadPicture } from '../../../shared/dataset-answers';

/** The pictures with what was read of them since; the same array where none of them is among those. */
export function withFacts(
  images: readonly ImageInfo[],
  read: readonly ReadPicture[],
): readonly ImageInfo[] {
  const facts = new Map(read.map((picture) => [picture.id, picture.facts]));
  if (!images.some(({ id }) => facts.has(id))) return images;
  return images.map((image) => {
    const known = facts.get(image.id);
    return known === undefined ? image : { ...image, facts: known };
  });
}

/** The pictures with one in the place of its earlier state; the same array where it is not among them. */
export function withImage(images: readonly ImageInfo[], edited: ImageInfo): readonly ImageInfo[] {
  return images.some(({ path }) => path === edited.path)
    ? images.map((image) => (image.path === edited.path ? edited : image))
    : images;
}
