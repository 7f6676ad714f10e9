import { useCallback, useEffect, useId, type KeyboardEvent } from 'react';
import type { ImageInfo } from '../../../shared/dataset-answers';
import type { Place } from '../../../shared/picture-protocol';
import { useSquareRows } from '../useSquareRows';
import { PhotoTile } from './PhotoTile';
import { isMoveKey, moved, selectAll, touch, type Selection, type Touch } from './selection';

const TEXT_HEIGHT = 44;

interface PhotoGridProps {
  readonly images: readonly ImageInfo[];
  readonly tileSize: number;
  readonly placeOf: (image: ImageInfo) => Place | null;
  readonly isLeftOut: (path: string) => boolean;
  readonly selection: Selection;
  readonly onSelect: (change: (selection: Selection) => Selection) => void;
  readonly onOpen: (path: string) => void;
}

/** Pictures in rows of squares, chosen by mouse and keys as in a file manager. Only the rows on the screen exist. */
export function PhotoGrid(props: PhotoGridProps) {
  const { images, tileSize, placeOf, isLeftOut, selection, onSelect, onOpen } = props;
  const { measure, scroller, columns, tile, rows } = useSquareRows({
    count: images.length,
    smallestTile: tileSize,
    captionHeight: TEXT_HEIGHT,
    overscan: 2,
  });
  const list = useId();
  const tileId = (index: number) => `${list}-${index}`;
  const currentIndex = images.findIndex(({ path }) => path === selection.current);
  const { scrollToIndex } = rows;

  useEffect(() => {
    if (currentIndex >= 0) scrollToIndex(Math.floor(currentIndex / columns), { align: 'auto' });
  }, [currentIndex, columns, scrollToIndex]);

  const onTouch = useCallback(
    (path: string, how: Touch) =>
      onSelect((before) =>
        touch(
          before,
          images.map((image) => image.path),
          path,
          how,
        ),
      ),
    [images, onSelect],
  );

  const onKeyDown = (event: KeyboardEvent) => {
    const { key, shiftKey } = event;
    const command = event.ctrlKey || event.metaKey;
    const current = images[currentIndex];
    if (isMoveKey(key)) {
      const inView = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / tile));
      const from = currentIndex < 0 ? 0 : currentIndex;
      const next =
        currentIndex < 0 ? images[0] : images[moved(key, from, images.length, columns, inView)];
      if (next !== undefined) onTouch(next.path, { toggle: false, range: shiftKey });
    } else if (key === 'a' && command)
      onSelect((before) =>
        selectAll(
          before,
          images.map(({ path }) => path),
        ),
      );
    else if (key === ' ' && current) onTouch(current.path, { toggle: true, range: false });
    else if (key === 'Enter' && current) onOpen(current.path);
    else if (key === 'Escape' && selection.selected.size > 0)
      onSelect((before) => ({ ...before, selected: new Set() }));
    else return;
    event.preventDefault();
  };

  const shown = rows.getVirtualItems();
  const isCurrentShown = shown.some(({ index }) => index === Math.floor(currentIndex / columns));
  return (
    <div
      className="photo-scroll"
      ref={scroller}
      tabIndex={0}
      role="listbox"
      aria-label="Images"
      aria-multiselectable
      {...(currentIndex >= 0 &&
        isCurrentShown && { 'aria-activedescendant': tileId(currentIndex) })}
      onKeyDown={onKeyDown}
    >
      <div
        ref={measure}
        role="presentation"
        className="photo-rows"
        style={{ height: rows.getTotalSize() }}
      >
        {shown.map((row) => (
          <div
            key={row.key}
            role="presentation"
            className="photo-row"
            style={{
              transform: `translateY(${row.start}px)`,
              gridTemplateColumns: `repeat(${columns}, 1fr)`,
            }}
          >
            {images.slice(row.index * columns, (row.index + 1) * columns).map((image, column) => {
              const index = row.index * columns + column;
              return (
                <PhotoTile
                  key={image.path}
                  id={tileId(index)}
                  image={image}
                  place={placeOf(image)}
                  index={index}
                  count={images.length}
                  selected={selection.selected.has(image.path)}
                  current={index === currentIndex}
                  leftOut={isLeftOut(image.path)}
                  onTouch={onTouch}
                  onOpen={onOpen}
                />
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}
