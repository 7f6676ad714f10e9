import { create } from 'zustand';
import type { ScanProgress } from '../../shared/dataset-answers';
import { on } from '../api';
import { formatCount, formatQuantity } from '../format';

/** How far main is with each folder that it was asked to read. */
const useProgress = create<Readonly<Record<string, ScanProgress>>>(() => ({}));

export function connectReading(): void {
  on('datasets:scanProgress', (progress) => useProgress.setState({ [progress.folder]: progress }));
}

/** In the place of a folder's pictures until they are there. */
export function ReadingFolder({ folder }: { readonly folder: string }) {
  const progress = useProgress((all) => all[folder]);
  return (
    <div className="photo-wait numbers" role="status">
      Reading the folder…
      {progress && ` ${formatCount(progress.done)} of ${formatQuantity(progress.total, 'image')}`}
    </div>
  );
}
