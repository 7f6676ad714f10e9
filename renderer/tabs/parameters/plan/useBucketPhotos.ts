import { useCallback, useEffect, useRef, useState } from 'react';
import type { BucketPhoto } from '../../../../shared/contract';
import type { TrainConfig } from '../../../../shared/parameters';
import type { Bucket } from '../../../../shared/protocol';
import type { Problem } from '../../../../shared/result';
import { call, problemOf } from '../../../api';

const PAGE = 60;

export interface BucketPhotos {
  /** By their place in the bucket, as far as they have been asked for. */
  readonly photos: ReadonlyMap<number, BucketPhoto>;
  /** Null until the first answer. */
  readonly total: number | null;
  readonly problem: Problem | null;
  /** Asks for the photos from one place to another, unless they are there or on their way. */
  readonly need: (from: number, to: number) => void;
}

/** The photos of a bucket, a page at a time: as they are when it is opened. */
export function useBucketPhotos(config: TrainConfig, { resolution }: Bucket): BucketPhotos {
  const [asked] = useState({ config, resolution });
  const [answer, setAnswer] = useState<Omit<BucketPhotos, 'need'>>({
    photos: new Map(),
    total: null,
    problem: null,
  });
  const pages = useRef(new Set<number>());

  const fetchPage = useCallback(
    async (page: number) => {
      const offset = page * PAGE;
      try {
        const { total, photos } = await call('plan:bucket', { ...asked, offset, limit: PAGE });
        setAnswer((before) => ({
          photos: new Map([
            ...before.photos,
            ...photos.map((photo, index) => [offset + index, photo] as const),
          ]),
          total,
          problem: null,
        }));
      } catch (thrown) {
        setAnswer((before) => ({ ...before, problem: problemOf(thrown) }));
      }
    },
    [asked],
  );

  const need = useCallback(
    (from: number, to: number) => {
      for (let page = Math.floor(from / PAGE); page <= Math.floor(to / PAGE); page += 1) {
        if (pages.current.has(page)) continue;
        pages.current.add(page);
        void fetchPage(page);
      }
    },
    [fetchPage],
  );

  useEffect(() => need(0, 0), [need]);
  return { ...answer, need };
}
