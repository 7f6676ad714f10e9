import { useMemo, useState } from 'react';
import type { ImageInfo } from '../../../shared/dataset-answers';
import { Empty } from '../bits';
import { IconPhotoOff } from '@tabler/icons-react';
import { arrange, asInFolder } from './arrange';
import { GridToolbar } from './GridToolbar';
import { LargeView } from './LargeView';
import { PhotoGrid } from './PhotoGrid';
import { SelectionBar } from './SelectionBar';
import { nothingSelected, touch } from './selection';
import { usePhotos } from './store';
import { usePlaces } from './usePlaces';

interface PhotoBrowserProps {
  /** In the order of their names. */
  readonly images: readonly ImageInfo[];
  readonly isLeftOut: (path: string) => boolean;
  /** Null where nothing can be left out. */
  readonly onLeaveOut: ((paths: readonly string[], leaveOut: boolean) => void) | null;
}

/** A folder's pictures: sorted, filtered, selected, looked at in large, turned and cropped. */
export function PhotoBrowser({ images, isLeftOut, onLeaveOut }: PhotoBrowserProps) {
  const [arrangement, setArrangement] = useState(asInFolder);
  const [selection, setSelection] = useState(nothingSelected);
  const [open, setOpen] = useState<string | null>(null);
  const tileSize = usePhotos((state) => state.tileSize);
  const placeOf = usePlaces(images);
  const shown = useMemo(() => arrange(images, arrangement), [images, arrangement]);
  const selected = useMemo(
    () => images.filter(({ path }) => selection.selected.has(path)),
    [images, selection.selected],
  );
  const show = (path: string) => {
    setOpen(path);
    setSelection((before) => touch(before, [], path, { toggle: false, range: false }));
  };
  const opened = shown.findIndex(({ path }) => path === open);

  return (
    <>
      <GridToolbar
        arrangement={arrangement}
        onArrange={(change) => setArrangement((before) => ({ ...before, ...change }))}
      />
      <SelectionBar
        images={images}
        selected={selected}
        isLeftOut={isLeftOut}
        onLeaveOut={onLeaveOut}
        onClear={() => setSelection(nothingSelected)}
      />
      {shown.length === 0 ? (
        <Empty icon={<IconPhotoOff size={40} stroke={1.25} />} title="No image is like that">
          Change what is shown, or what is searched for.
        </Empty>
      ) : (
        <PhotoGrid
          images={shown}
          tileSize={tileSize}
          placeOf={placeOf}
          isLeftOut={isLeftOut}
          selection={selection}
          onSelect={setSelection}
          onOpen={show}
        />
      )}
      {opened >= 0 && (
        <LargeView
          images={shown}
          index={opened}
          placeOf={placeOf}
          onShow={show}
          onClose={() => setOpen(null)}
        />
      )}
    </>
  );
}
