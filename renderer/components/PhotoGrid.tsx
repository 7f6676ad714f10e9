import { useElementSize } from '@mantine/hooks';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { ImageInfo } from '../../shared/dataset-answers';
import { thumbnailUrl } from '../api';

const GAP = 12;
const SMALLEST_TILE = 132;
const CAPTION_HEIGHT = 44;

function Broken({ reason }: { readonly reason: string }) {
  return (
    <div className="tile-broken">
      <IconAlertTriangle size={22} aria-hidden />
      <span>Cannot be used</span>
      <span className="tile-reason">{reason}</span>
    </div>
  );
}

function Tile({ image }: { readonly image: ImageInfo }) {
  const size = image.width > 0 ? `${image.width} × ${image.height}` : image.format || 'unknown';
  const detail = image.problem === null ? image.name : `${image.name}: ${image.problem}`;
  return (
    <figure className="tile" title={detail} data-broken={image.problem !== null || undefined}>
      <div className="tile-frame">
        {image.problem === null ? (
          <img src={thumbnailUrl(image.id)} alt="" loading="lazy" draggable={false} />
        ) : (
          <Broken reason={image.problem} />
        )}
      </div>
      <figcaption>
        <span className="tile-name">{image.name}</span>
        <span className="tile-size numbers">{size}</span>
      </figcaption>
    </figure>
  );
}

/** Pictures in rows of squares. Only the rows on the screen exist, so a thousand pictures cost what twenty do. */
export function PhotoGrid({ images }: { readonly images: readonly ImageInfo[] }) {
  const { ref: measure, width } = useElementSize();
  const scroller = useRef<HTMLDivElement>(null);
  const columns = Math.max(1, Math.floor((width + GAP) / (SMALLEST_TILE + GAP)));
  const tile = Math.max(SMALLEST_TILE, (width - GAP * (columns - 1)) / columns);
  const rowHeight = Math.round(tile) + CAPTION_HEIGHT + GAP;
  const rows = useVirtualizer({
    count: width === 0 ? 0 : Math.ceil(images.length / columns),
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => `${rowHeight}-${index}`,
    overscan: 2,
  });

  return (
    <div className="photo-scroll" ref={scroller} tabIndex={0} aria-label="Images" role="group">
      <div
        ref={measure}
        className="photo-rows"
        style={{ height: Math.max(0, rows.getTotalSize() - GAP) }}
      >
        {rows.getVirtualItems().map((row) => (
          <div
            key={row.key}
            className="photo-row"
            style={{
              transform: `translateY(${row.start}px)`,
              gridTemplateColumns: `repeat(${columns}, 1fr)`,
            }}
          >
            {images.slice(row.index * columns, (row.index + 1) * columns).map((image) => (
              <Tile key={image.path} image={image} />
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}
