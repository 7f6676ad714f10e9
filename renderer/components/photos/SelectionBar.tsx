import { Button } from '@mantine/core';
import { IconArrowBackUp, IconEye, IconEyeOff, IconRotateClockwise } from '@tabler/icons-react';
import type { ImageInfo } from '../../../shared/dataset-answers';
import { noEdit, turnedRight } from '../../../shared/picture-edits';
import { attempt } from '../../app/notify';
import { formatCount } from '../../format';
import { editPicture, undoEdit, usePhotos } from './store';

interface SelectionBarProps {
  readonly images: readonly ImageInfo[];
  readonly selected: readonly ImageInfo[];
  readonly isLeftOut: (path: string) => boolean;
  /** Null where nothing can be left out. */
  readonly onLeaveOut: ((paths: readonly string[], leaveOut: boolean) => void) | null;
  readonly onClear: () => void;
}

/** What can be done with the pictures that are selected. */
export function SelectionBar(props: SelectionBarProps) {
  const { images, selected, isLeftOut, onLeaveOut, onClear } = props;
  const before = usePhotos((state) => state.before);
  const paths = new Set(images.map(({ path }) => path));
  const canUndo = before.some(({ path }) => paths.has(path));
  if (selected.length === 0 && !canUndo) return null;
  const allOut = selected.every(({ path }) => isLeftOut(path));
  const turn = async () => {
    for (const image of selected) await editPicture(image, turnedRight(image.edit ?? noEdit));
  };
  const small = { size: 'compact-sm', variant: 'default' } as const;
  return (
    <div className="selection-bar" role="group" aria-label="Selected images">
      {selected.length > 0 && (
        <>
          <span className="numbers">{formatCount(selected.length)} selected</span>
          <Button
            {...small}
            leftSection={<IconRotateClockwise size={14} aria-hidden />}
            onClick={() => attempt(turn)}
          >
            Turn right
          </Button>
          {onLeaveOut !== null && (
            <Button
              {...small}
              leftSection={allOut ? <IconEye size={14} /> : <IconEyeOff size={14} />}
              onClick={() =>
                onLeaveOut(
                  selected.map(({ path }) => path),
                  !allOut,
                )
              }
            >
              {allOut ? 'Use again' : 'Leave out'}
            </Button>
          )}
        </>
      )}
      {canUndo && (
        <Button
          {...small}
          leftSection={<IconArrowBackUp size={14} aria-hidden />}
          onClick={() =>
            attempt(() => undoEdit((path) => images.find((image) => image.path === path)))
          }
        >
          Undo crop or turn
        </Button>
      )}
      {selected.length > 0 && (
        <Button {...small} variant="subtle" color="gray" onClick={onClear}>
          Clear selection
        </Button>
      )}
    </div>
  );
}
