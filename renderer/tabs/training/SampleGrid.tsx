import { Tooltip, VisuallyHidden } from '@mantine/core';
import { defaultRangeExtractor, useVirtualizer, type VirtualItem } from '@tanstack/react-virtual';
import {
  memo,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type RefObject,
} from 'react';
import { sampleUrl } from '../../api';
import {
  describeSample,
  isPicture,
  newestPicture,
  nextPicture,
  stepName,
  type Cell,
  type Direction,
  type Place,
  type Row,
  type Sample,
  type SampleTable,
} from './samples';

const keys: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
  Home: 'first',
  End: 'last',
};

const pixels = (token: string): number =>
  parseFloat(getComputedStyle(document.documentElement).getPropertyValue(token));

interface PictureProps {
  readonly jobId: string;
  readonly sample: Sample;
  readonly row: number;
  readonly column: number;
  readonly isTabStop: boolean;
  readonly onActive: (place: Place) => void;
  readonly onOpen: (place: Place) => void;
}

const Picture = memo(function Picture(props: PictureProps) {
  const { jobId, sample, row, column, isTabStop, onActive, onOpen } = props;
  const [gone, setGone] = useState(false);
  return (
    <button
      type="button"
      className="sample"
      tabIndex={isTabStop ? 0 : -1}
      data-place={`${row}-${column}`}
      onFocus={() => onActive({ row, column })}
      onClick={() => onOpen({ row, column })}
    >
      {gone ? (
        <span className="sample-gone">The file is gone</span>
      ) : (
        <img
          src={sampleUrl(jobId, sample.seq, 'small')}
          alt={describeSample(sample)}
          loading="lazy"
          decoding="async"
          draggable={false}
          onError={() => setGone(true)}
        />
      )}
    </button>
  );
});

function Unfinished({ cell }: { readonly cell: Cell }) {
  if (cell === 'drawing')
    return <div className="sample-wait drawing" role="img" aria-label="Being drawn" />;
  return cell === 'waiting' ? <div className="sample-wait" /> : null;
}

function RowHead({ row, index }: { readonly row: Row; readonly index: number }) {
  return (
    <div role="rowheader" className="sample-prompt" aria-colindex={1}>
      <span className="sample-number numbers">Prompt {index + 1}</span>
      {row.prompt !== null && (
        <Tooltip label={row.prompt} position="bottom-start">
          <span className="sample-words">{row.prompt}</span>
        </Tooltip>
      )}
    </div>
  );
}

/** Only the columns on the screen exist, and the one that the keyboard is in. */
function useColumns(scroller: RefObject<HTMLElement | null>, count: number, kept: number) {
  const [sizes] = useState(() => ({
    column: pixels('--sample-size') + pixels('--sample-gap'),
    head: pixels('--sample-head'),
  }));
  const virtual = useVirtualizer({
    horizontal: true,
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => sizes.column,
    paddingStart: sizes.head,
    overscan: 2,
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      return kept < 0 || shown.includes(kept) ? shown : [...shown, kept].sort((a, b) => a - b);
    },
  });
  const at = ({ start }: VirtualItem) => ({
    transform: `translateX(${start - sizes.head}px)`,
  });
  return { items: virtual.getVirtualItems(), width: virtual.getTotalSize(), at };
}

/** Shows the newest column as it comes, unless the user has scrolled back. */
function useNewestInView(scroller: RefObject<HTMLElement | null>, columns: number) {
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    // Told at once and whenever the window makes it wider or narrower.
    const observer = new ResizeObserver(() => {
      if (atEnd.current) element.scrollLeft = element.scrollWidth;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller, columns]);
  return () => {
    const element = scroller.current;
    if (element === null) return;
    const left = element.scrollWidth - element.scrollLeft - element.clientWidth;
    atEnd.current = left < pixels('--sample-size') / 2;
  };
}

interface SampleGridProps {
  readonly jobId: string;
  readonly table: SampleTable;
  /** Where the keyboard is; null before it was there. */
  readonly active: Place | null;
  /** False while something lies over the table. */
  readonly focusable: boolean;
  readonly onActive: (place: Place) => void;
  readonly onOpen: (place: Place) => void;
}

/** One row a prompt, one column a step. Arrow keys go from picture to picture. */
export function SampleGrid(props: SampleGridProps) {
  const { jobId, table, active, focusable, onActive, onOpen } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const tabStop = active ?? newestPicture(table);
  const { items, width, at } = useColumns(scroller, table.columns.length, tabStop?.column ?? -1);
  const onScroll = useNewestInView(scroller, table.columns.length);

  useEffect(() => {
    if (active === null || !focusable) return;
    const place = `[data-place="${active.row}-${active.column}"]`;
    const picture = scroller.current?.querySelector<HTMLElement>(place);
    picture?.focus({ preventScroll: true });
    picture?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [active, focusable]);

  const onKeyDown = (event: KeyboardEvent) => {
    const towards = keys[event.key];
    if (towards === undefined || tabStop === null) return;
    event.preventDefault();
    const next = nextPicture(table, tabStop, towards);
    if (next !== null) onActive(next);
  };

  return (
    <div className="samples-scroll" ref={scroller} onScroll={onScroll}>
      <div
        role="grid"
        aria-label="Samples"
        aria-rowcount={table.rows.length + 1}
        aria-colcount={table.columns.length + 1}
        className="samples-table"
        style={{ width }}
        onKeyDown={onKeyDown}
      >
        <div role="row" className="sample-heads" aria-rowindex={1}>
          <div role="columnheader" className="sample-corner" aria-colindex={1}>
            <VisuallyHidden>Prompt</VisuallyHidden>
          </div>
          {items.map((item) => {
            const column = table.columns[item.index];
            return (
              <div
                key={item.key}
                role="columnheader"
                className="sample-head numbers"
                aria-colindex={item.index + 2}
                style={at(item)}
              >
                {column && stepName(column.step)}
              </div>
            );
          })}
        </div>
        {table.rows.map((row, index) => (
          <div key={index} role="row" className="sample-row" aria-rowindex={index + 2}>
            <RowHead row={row} index={index} />
            {items.map((item) => {
              const cell = row.cells[item.index] ?? null;
              return (
                <div
                  key={item.key}
                  role="gridcell"
                  className="sample-cell"
                  aria-colindex={item.index + 2}
                  style={at(item)}
                >
                  {isPicture(cell) ? (
                    <Picture
                      key={cell.seq}
                      jobId={jobId}
                      sample={cell}
                      row={index}
                      column={item.index}
                      isTabStop={tabStop?.row === index && tabStop.column === item.index}
                      onActive={onActive}
                      onOpen={onOpen}
                    />
                  ) : (
                    <Unfinished cell={cell} />
                  )}
                </div>
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}
