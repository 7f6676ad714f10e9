import { useEffect, useMemo } from 'react';
import type { ImageInfo } from '../../../shared/dataset-answers';
import type { Place } from '../../../shared/picture-protocol';
import { useProject } from '../../app/project';
import { createQuestion } from '../../question';

const placesOfSizes = createQuestion('plan:places', 400);

const sizeKey = (width: number, height: number): string => `${width}x${height}`;

/** Each size once, as text: the same text while no picture has another size. */
function useSizes(images: readonly ImageInfo[]): string {
  return useMemo(() => {
    const sizes = images.flatMap(({ facts }) =>
      facts === null || facts.width === 0 ? [] : [sizeKey(facts.width, facts.height)],
    );
    return [...new Set(sizes)].join(' ');
  }, [images]);
}

/** Where each picture comes into its bucket, as the bridge would train it with the parameters as they stand. */
export function usePlaces(images: readonly ImageInfo[]): (image: ImageInfo) => Place | null {
  const draft = useProject((project) => project.training);
  const wanted = useSizes(images);
  useEffect(() => {
    const sizes = wanted.split(' ').map((size): [number, number] => {
      const [width, height] = size.split('x');
      return [Number(width), Number(height)];
    });
    placesOfSizes.ask(wanted === '' ? null : { draft, sizes });
  }, [draft, wanted]);

  const told = placesOfSizes.useAnswer((answer) => answer.value?.places);
  const places = useMemo(
    () => new Map(told?.map((place) => [sizeKey(...place.size), place])),
    [told],
  );
  return ({ facts }) =>
    facts === null ? null : (places.get(sizeKey(facts.width, facts.height)) ?? null);
}
