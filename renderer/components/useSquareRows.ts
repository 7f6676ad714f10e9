import { useElementSize } from '@mantine/hooks';
import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual';
import { useRef, type RefCallback, type RefObject } from 'react';

/** Between two squares, in pixels. */
export const SQUARES_GAP = 12;

interface SquareRowsOptions {
  /** Of all squares. */
  readonly count: number;
  /** Side of a square, in pixels; they grow until they fill a row. */
  readonly smallestTile: number;
  /** Of what stands under a square, in pixels. */
  readonly captionHeight: number;
  /** Rows beyond those on the screen that exist too. */
  readonly overscan: number;
}

interface SquareRows {
  /** For the element whose width the rows fill. */
  readonly measure: RefCallback<HTMLDivElement>;
  /** For the element that scrolls. */
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly columns: number;
  /** Side of a square, in pixels. */
  readonly tile: number;
  readonly rows: Virtualizer<HTMLDivElement, Element>;
}

/** Rows of squares of which only those on the screen exist: a thousand cost what twenty do. */
export function useSquareRows(options: SquareRowsOptions): SquareRows {
  const { count, smallestTile, captionHeight, overscan } = options;
  const { ref: measure, width } = useElementSize<HTMLDivElement>();
  const scroller = useRef<HTMLDivElement>(null);
  const columns = Math.max(1, Math.floor((width + SQUARES_GAP) / (smallestTile + SQUARES_GAP)));
  const tile = Math.max(smallestTile, (width - SQUARES_GAP * (columns - 1)) / columns);
  const rowHeight = Math.round(tile) + captionHeight + SQUARES_GAP;
  const rows = useVirtualizer({
    count: width === 0 ? 0 : Math.ceil(count / columns),
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => `${rowHeight}-${index}`,
    overscan,
  });
  return { measure, scroller, columns, tile, rows };
}
