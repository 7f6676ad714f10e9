import { Loader, Modal, Text } from '@mantine/core';
import { useEffect } from 'react';
import type { TrainConfig } from '../../../../shared/parameters';
import type { Bucket } from '../../../../shared/protocol';
import { Note } from '../../../components/bits';
import { SQUARES_GAP, useSquareRows } from '../../../components/useSquareRows';
import { formatQuantity } from '../../../format';
import { CutPhoto } from './CutPhoto';
import { useBucketPhotos, type BucketPhotos as Photos } from './useBucketPhotos';

const SMALLEST_TILE = 168;
const CAPTION_HEIGHT = 80;

interface GridProps {
  readonly bucket: Bucket;
  readonly photos: Photos;
}

/** Only the rows on the screen exist, and only their photos are asked for. */
function Grid({ bucket, photos: { photos, total, need } }: GridProps) {
  const { measure, scroller, columns, tile, rows } = useSquareRows({
    count: total ?? 0,
    smallestTile: SMALLEST_TILE,
    captionHeight: CAPTION_HEIGHT,
    overscan: 1,
  });
  const shown = rows.getVirtualItems();
  const first = (shown[0]?.index ?? 0) * columns;
  const last = Math.min((total ?? 1) - 1, ((shown.at(-1)?.index ?? 0) + 1) * columns - 1);
  useEffect(() => need(first, Math.max(first, last)), [need, first, last]);

  return (
    <div
      className="photo-scroll"
      ref={scroller}
      tabIndex={0}
      role="group"
      aria-label="Photos"
      style={{ height: rows.getTotalSize() }}
    >
      <div
        ref={measure}
        className="photo-rows"
        style={{ height: Math.max(0, rows.getTotalSize() - SQUARES_GAP) }}
      >
        {shown.map((row) => (
          <div
            key={row.key}
            className="photo-row"
            style={{
              transform: `translateY(${row.start}px)`,
              gridTemplateColumns: `repeat(${columns}, 1fr)`,
            }}
          >
            {Array.from({ length: columns }, (_, column) => row.index * columns + column)
              .filter((index) => index < (total ?? 0))
              .map((index) => (
                <CutPhoto
                  key={index}
                  photo={photos.get(index) ?? null}
                  resolution={bucket.resolution}
                  side={tile}
                />
              ))}
          </div>
        ))}
      </div>
    </div>
  );
}

interface BucketPhotosProps {
  readonly bucket: Bucket;
  readonly config: TrainConfig;
  readonly onClose: () => void;
}

/** Which photos go into a bucket, and what of each is cut away. */
export function BucketPhotos({ bucket, config, onClose }: BucketPhotosProps) {
  const photos = useBucketPhotos(config, bucket);
  const { resolution, count, batches } = bucket;
  return (
    <Modal.Root opened onClose={onClose} size="min(1100px, 90vw)" centered lockScroll={false}>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body className="bucket-photos">
          <div className="dialog-head">
            <Modal.Title className="main-title">
              Bucket {resolution[0]} × {resolution[1]}
            </Modal.Title>
            <Modal.CloseButton aria-label="Close" />
          </div>
          <Text size="sm" c="dimmed">
            {photos.total !== null && `${formatQuantity(photos.total, 'photo')}, `}
            shown {formatQuantity(count, 'time')} an epoch in{' '}
            {formatQuantity(batches, 'batch', 'batches')}. Each is resized until it covers the
            bucket; what is shaded is cut away.
          </Text>
          {photos.problem !== null && <Note problem={photos.problem} tone="error" />}
          {photos.total === null && photos.problem === null && (
            <div className="photo-wait">
              <Loader role="img" aria-label="Reading the photos" />
            </div>
          )}
          {photos.total !== null && <Grid bucket={bucket} photos={photos} />}
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
