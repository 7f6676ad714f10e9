import { useEffect, useMemo, useState } from 'react';
import type { ImageInfo } from '../../../shared/dataset-answers';
import type { Place } from '../../../shared/picture-protocol';
import { call } from '../../api';
import { useProject } from '../../app/project';

const QUIET_MS = 400;

type Places = ReadonlyMap<string, Place | null>;

const sizeKey = (width: number, height: number): string => `${width}x${height}`;
const unknown: Places = new Map();

/** Where each picture comes into its bucket, as the bridge would train it with the parameters as they stand. */
export function usePlaces(images: readonly ImageInfo[]): (image: ImageInfo) => Place | null {
  const training = useProject((project) => project.training);
  const [places, setPlaces] = useState(unknown);
  const sizes = useMemo(() => {
    const found = new Map<string, [number, number]>();
    for (const { facts } of images)
      if (facts !== null && facts.width > 0)
        found.set(sizeKey(facts.width, facts.height), [facts.width, facts.height]);
    return found;
  }, [images]);
  const wanted = [...sizes.keys()].join(' ');

  useEffect(() => {
    if (sizes.size === 0) return;
    let isCurrent = true;
    const timer = window.setTimeout(() => {
      call('plan:places', { draft: training, sizes: [...sizes.values()] }).then(
        ({ places: answer }) => {
          const keys = [...sizes.keys()];
          if (isCurrent)
            setPlaces(new Map(answer.map((place, index) => [keys[index] ?? '', place])));
        },
        () => isCurrent && setPlaces(unknown),
      );
    }, QUIET_MS);
    return () => {
      isCurrent = false;
      window.clearTimeout(timer);
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `wanted` says what is in `sizes`
  }, [training, wanted]);

  return ({ facts }) =>
    facts === null ? null : (places.get(sizeKey(facts.width, facts.height)) ?? null);
}
