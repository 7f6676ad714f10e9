import type { ImageInfo } from '../../../shared/dataset-answers';

/** How the pictures of a grid are sorted, and which of them are shown. */

export const orders = ['name', 'size', 'shape', 'caption'] as const;
export type Order = (typeof orders)[number];
export const orderLabels: Readonly<Record<Order, string>> = {
  name: 'Name',
  size: 'Resolution',
  shape: 'Shape',
  caption: 'Caption',
};

export const kinds = [
  'all',
  'captioned',
  'uncaptioned',
  'portrait',
  'landscape',
  'square',
  'edited',
  'unusable',
] as const;
export type Kind = (typeof kinds)[number];
export const kindLabels: Readonly<Record<Kind, string>> = {
  all: 'All images',
  captioned: 'With a caption',
  uncaptioned: 'Without a caption',
  portrait: 'Portrait',
  landscape: 'Landscape',
  square: 'Square',
  edited: 'Cropped or turned',
  unusable: 'Cannot be used',
};

export interface Arrangement {
  readonly order: Order;
  readonly descending: boolean;
  readonly kind: Kind;
  /** Part of a name or a caption. */
  readonly search: string;
}

export const asInFolder: Arrangement = {
  order: 'name',
  descending: false,
  kind: 'all',
  search: '',
};

type Orientation = 'portrait' | 'landscape' | 'square';

/** Null until the picture was read, and for one that cannot be. */
function orientationOf({ facts }: ImageInfo): Orientation | null {
  if (facts === null || facts.width === 0) return null;
  if (facts.width === facts.height) return 'square';
  return facts.width > facts.height ? 'landscape' : 'portrait';
}

const isOfKind: Readonly<Record<Kind, (image: ImageInfo) => boolean>> = {
  all: () => true,
  captioned: ({ caption }) => caption !== null,
  uncaptioned: ({ caption }) => caption === null,
  portrait: (image) => orientationOf(image) === 'portrait',
  landscape: (image) => orientationOf(image) === 'landscape',
  square: (image) => orientationOf(image) === 'square',
  edited: ({ edit }) => edit !== null,
  unusable: ({ facts }) => (facts?.problem ?? null) !== null,
};

const keys: Readonly<Record<Exclude<Order, 'name'>, (image: ImageInfo) => number | string>> = {
  size: ({ facts }) => (facts === null ? 0 : facts.width * facts.height),
  shape: ({ facts }) => (facts === null || facts.height === 0 ? 0 : facts.width / facts.height),
  caption: ({ caption }) => caption ?? '',
};

/** The pictures that are shown, in their order. They come in the order of their names. */
export function arrange(
  images: readonly ImageInfo[],
  { order, descending, kind, search }: Arrangement,
): readonly ImageInfo[] {
  const wanted = search.trim().toLowerCase();
  const shown = images.filter(
    (image) =>
      isOfKind[kind](image) &&
      (wanted === '' ||
        image.name.toLowerCase().includes(wanted) ||
        (image.caption ?? '').toLowerCase().includes(wanted)),
  );
  if (order !== 'name') {
    const key = keys[order];
    const keyed = shown.map((image) => ({ image, key: key(image) }));
    keyed.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
    return (descending ? keyed.reverse() : keyed).map(({ image }) => image);
  }
  return descending ? shown.reverse() : shown;
}
