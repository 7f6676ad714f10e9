import { useEffect, useRef, useState, type DragEvent } from 'react';
import { call } from '../api';
import { attempt } from '../app/notify';

/** Paths of what was dropped; none when it was no file (a piece of text, say). */
const droppedPaths = (transfer: DataTransfer | null): string[] =>
  [...(transfer?.files ?? [])].map((file) => window.api.pathOf(file)).filter((path) => path !== '');

/** The folder that was dropped, or the folder of the file that was. */
export function takeFolder(path: string, take: (folder: string) => void): void {
  attempt(async () => take((await call('datasets:folderOf', { path })).folder));
}

/** Drops that a field took, so that the window does not take them too. */
const taken = new WeakSet<Event>();

/** Makes one element a place to drop files and folders on. */
export function useDropTarget(take: (paths: readonly string[]) => void) {
  const [over, setOver] = useState(false);
  const handlers = {
    onDragOver: (event: DragEvent) => {
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      // A field inside a card goes first.
      if (taken.has(event.nativeEvent)) {
        setOver(false);
        return;
      }
      taken.add(event.nativeEvent);
      setOver(false);
      const paths = droppedPaths(event.dataTransfer);
      if (paths.length > 0) take(paths);
    },
  };
  return { over, handlers };
}

const carriesFiles = (event: globalThis.DragEvent) =>
  event.dataTransfer?.types.includes('Files') ?? false;

interface WindowDropProps {
  /** What dropping here does, for the overlay. */
  readonly hint: string;
  readonly onPaths: (paths: readonly string[]) => void;
}

/** Lets files and folders be dropped anywhere on the window. Fields that are drop targets themselves go first. */
export function WindowDrop({ hint, onPaths }: WindowDropProps) {
  const [over, setOver] = useState(false);
  const depth = useRef(0);

  useEffect(() => {
    const enter = (event: globalThis.DragEvent) => {
      if (!carriesFiles(event)) return;
      depth.current += 1;
      setOver(true);
    };
    const leave = (event: globalThis.DragEvent) => {
      if (!carriesFiles(event)) return;
      depth.current -= 1;
      if (depth.current <= 0) setOver(false);
    };
    const drop = (event: globalThis.DragEvent) => {
      depth.current = 0;
      setOver(false);
      if (taken.has(event)) return;
      const paths = droppedPaths(event.dataTransfer);
      if (paths.length > 0) onPaths(paths);
    };
    window.addEventListener('dragenter', enter);
    window.addEventListener('dragleave', leave);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragenter', enter);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('drop', drop);
    };
  }, [onPaths]);

  if (!over) return null;
  return (
    <div className="window-drop" aria-hidden>
      <span>{hint}</span>
    </div>
  );
}

/** Without this the window would try to open what was dropped beside a drop target. */
export function preventStrayDrops(): void {
  window.addEventListener('dragover', (event) => event.preventDefault());
  window.addEventListener('drop', (event) => event.preventDefault());
}
