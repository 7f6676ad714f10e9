import { create } from 'zustand';
import type {
  ImageInfo,
  PreparationProgress,
  Prepared,
  Scan,
  Undone,
} from '../../../shared/dataset-answers';
import type { Transfer } from '../../../shared/dataset-form';
import { call, on } from '../../api';
import { notifyDone, notifyProblem } from '../../app/notify';
import { adoptPrepared, useProject } from '../../app/project';
import { showTab } from '../../app/store';
import { onEdited } from '../../components/photos/store';
import { withFacts, withImage } from '../../components/photos/read-facts';
import { formatQuantity } from '../../format';
import { createQuestion } from '../../question';

export const trainingScan = createQuestion('datasets:scan', 300);
export const regularizationScan = createQuestion('datasets:scan', 300);
export const preparationPlan = createQuestion('datasets:planPreparation', 400);

export type Preparation =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly progress: PreparationProgress | null }
  | { readonly kind: 'cancelling' };

export const usePreparation = create<Preparation>(() => ({ kind: 'idle' }));

/** Follows what is read of pictures, and what is edited of them. */
export function connectPhotos(): void {
  const amendScans = (change: (images: Scan['images']) => readonly ImageInfo[]) => {
    for (const scan of [trainingScan, regularizationScan])
      scan.amend((value) => {
        const images = change(value.images);
        return images === value.images ? value : { ...value, images: [...images] };
      });
  };
  on('datasets:read', (read) => amendScans((images) => withFacts(images, read)));
  onEdited((edited) => amendScans((images) => withImage(images, edited)));
}

export function connectPreparation(): void {
  on('datasets:preparationProgress', (progress) => {
    if (usePreparation.getState().kind === 'running')
      usePreparation.setState({ kind: 'running', progress }, true);
  });
}

export async function prepare(): Promise<void> {
  usePreparation.setState({ kind: 'running', progress: null }, true);
  try {
    const { dataset } = useProject.getState();
    const prepared = await call('datasets:prepare', dataset);
    adoptPrepared(prepared);
    preparationPlan.ask(dataset);
    notifyDone({
      title: 'Training data is ready',
      message: `${describePrepared(prepared, dataset.transfer)} Next, caption them.`,
      action: { label: 'Go to Captioning', run: () => showTab('captioning') },
    });
  } catch (thrown) {
    // A cancelled preparation is what was asked for, not a failure to report in red.
    if (usePreparation.getState().kind !== 'cancelling') notifyProblem(thrown);
  } finally {
    usePreparation.setState({ kind: 'idle' }, true);
  }
}

/** A link that could not be made is a copy, and that is said. */
function describePrepared({ copied, linked, kept }: Prepared, transfer: Transfer): string {
  const parts = [];
  if (linked > 0) parts.push(`${formatQuantity(linked, 'image')} linked.`);
  if (copied > 0 || linked === 0) parts.push(`${formatQuantity(copied, 'image')} copied.`);
  if (transfer === 'link' && copied > 0)
    parts.push('Copied is what could not be linked to this disk.');
  if (kept > 0)
    parts.push(`${formatQuantity(kept, 'image')} ${kept === 1 ? 'was' : 'were'} there already.`);
  return parts.join(' ');
}

/** Asks again what will be made, after the folders were changed. */
const askAgain = (): void => preparationPlan.ask(useProject.getState().dataset);

/** Takes back what was done last to the project's folders, and says what stays. */
export async function undoLastChange(id: string): Promise<void> {
  const { destination } = useProject.getState().dataset;
  notifyUndone(await call('datasets:undo', { folder: destination, id }));
  askAgain();
}

export function notifyUndone({ title, removed, movedBack, stayed }: Undone): void {
  const parts = [
    ...(removed > 0 ? [`${formatQuantity(removed, 'file')} removed.`] : []),
    ...(movedBack > 0 ? [`${formatQuantity(movedBack, 'folder')} moved back.`] : []),
    ...stayed.map(({ message }) => message),
  ];
  notifyDone({ title: `Undone: ${title}`, message: parts.join(' ') || 'There was nothing left.' });
}

export async function setAside(folders: readonly string[]): Promise<void> {
  const { destination } = useProject.getState().dataset;
  await call('datasets:setAside', { destination, folders: [...folders] });
  askAgain();
  notifyDone({
    title: `${formatQuantity(folders.length, 'folder')} moved aside`,
    message: 'They are in set-aside, beside img and reg, and are not trained on.',
  });
}

export async function renameFolder(from: string, to: string): Promise<void> {
  const { destination } = useProject.getState().dataset;
  await call('datasets:renameFolder', { destination, from, to });
  askAgain();
}

export async function cancelPreparation(): Promise<void> {
  usePreparation.setState({ kind: 'cancelling' }, true);
  await call('datasets:cancelPreparation');
}
