import { create } from 'zustand';
import type { ImageInfo, PreparationProgress, Scan } from '../../../shared/dataset-answers';
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
    const kept =
      prepared.kept > 0 ? ` ${formatQuantity(prepared.kept, 'image')} were there already.` : '';
    notifyDone({
      title: 'Training data is ready',
      message: `${formatQuantity(prepared.copied, 'image')} copied.${kept} Next, caption them.`,
      action: { label: 'Go to Captioning', run: () => showTab('captioning') },
    });
  } catch (thrown) {
    // A cancelled preparation is what was asked for, not a failure to report in red.
    if (usePreparation.getState().kind !== 'cancelling') notifyProblem(thrown);
  } finally {
    usePreparation.setState({ kind: 'idle' }, true);
  }
}

export async function cancelPreparation(): Promise<void> {
  usePreparation.setState({ kind: 'cancelling' }, true);
  await call('datasets:cancelPreparation');
}
