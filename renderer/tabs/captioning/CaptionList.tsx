import { useElementSize } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { ImageInfo } from '../../../shared/dataset-answers';
import { CaptionRow } from './CaptionRow';

const ROW_HEIGHT = 132;
const WIDE_ENOUGH_FOR_TWO = 1080;

/** Pictures beside their captions; only the rows on the screen exist. */
export function CaptionList({ images }: { readonly images: readonly ImageInfo[] }) {
  const { ref: measure, width } = useElementSize();
  const scroller = useRef<HTMLDivElement>(null);
  const columns = width >= WIDE_ENOUGH_FOR_TWO ? 2 : 1;
  const rows = useVirtualizer({
    count: width === 0 ? 0 : Math.ceil(images.length / columns),
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 4,
  });

  return (
    <div className="photo-scroll" ref={scroller} tabIndex={0} role="group" aria-label="Captions">
      <div ref={measure} className="photo-rows" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => (
          <div
            key={row.key}
            className="caption-line"
            style={{
              transform: `translateY(${row.start}px)`,
              gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
            }}
          >
            {images.slice(row.index * columns, (row.index + 1) * columns).map((image) => (
              <CaptionRow key={image.path} image={image} />
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}
