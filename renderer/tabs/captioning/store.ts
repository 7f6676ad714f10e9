import { create } from 'zustand';
import { isOver } from '../../../shared/job-view';
import { captionConfigSchema } from '../../../shared/protocol';
import type { Problem } from '../../../shared/result';
import { call, on, problemOf } from '../../api';
import { startJob, useJobs } from '../../app/jobs';
import { notifyDone } from '../../app/notify';
import { useProject } from '../../app/project';
import { showTab } from '../../app/store';
import { onEdited } from '../../components/photos/store';
import { withFacts, withImage } from '../../components/photos/read-facts';
import { formatQuantity } from '../../format';
import { captionEvents, mergeCaptions, without, type CaptionState } from './merge';

/** How a caption that was edited by hand stands. */
export type Saving =
  | { readonly kind: 'saving' }
  | { readonly kind: 'saved' }
  | { readonly kind: 'failed'; readonly problem: Problem };

interface CaptioningState extends CaptionState {
  readonly folder: string;
  readonly problem: Problem | null;
  readonly reading: boolean;
  /** Captions that were typed and are not saved yet, by picture path. */
  readonly drafts: Readonly<Record<string, string>>;
  readonly saving: Readonly<Record<string, Saving>>;
}

const emptyFolder = {
  folder: '',
  images: [],
  problem: null,
  reading: false,
  outcomes: {},
  offers: {},
  drafts: {},
  saving: {},
} as const satisfies CaptioningState;

export const useCaptioning = create<CaptioningState>(() => emptyFolder);

let reads = 0;

/** Reads the folder again, which also finds captions that were written while nobody looked. */
export async function readFolder(): Promise<void> {
  const { image_dir: folder, caption_extension: captionExtension } =
    useProject.getState().captioning;
  reads += 1;
  const turn = reads;
  if (folder !== useCaptioning.getState().folder) {
    await saveCaptions();
    if (turn !== reads) return;
    useCaptioning.setState({ ...emptyFolder, folder }, true);
  }
  if (folder === '') return;
  useCaptioning.setState({ reading: true });
  try {
    const { images } = await call('datasets:scan', { folder, captionExtension });
    if (turn === reads) useCaptioning.setState({ images, problem: null, reading: false });
  } catch (thrown) {
    if (turn === reads)
      useCaptioning.setState({ images: [], problem: problemOf(thrown), reading: false });
  }
}

export function draftCaption(path: string, text: string): void {
  useCaptioning.setState(({ drafts, saving }) => ({
    drafts: { ...drafts, [path]: text },
    saving: without(saving, path),
  }));
}

export function revertCaption(path: string): void {
  useCaptioning.setState(({ drafts, saving }) => ({
    drafts: without(drafts, path),
    saving: without(saving, path),
  }));
}

const setSaving = (path: string, state: Saving) =>
  useCaptioning.setState(({ saving }) => ({ saving: { ...saving, [path]: state } }));

/** Writes the draft of a picture's caption. A draft that could not be written stays a draft. */
export async function saveCaption(path: string): Promise<void> {
  const { drafts, images } = useCaptioning.getState();
  const text = drafts[path];
  const image = images.find((candidate) => candidate.path === path);
  if (text === undefined || image === undefined) return;
  if (text === (image.caption ?? '')) {
    revertCaption(path);
    return;
  }
  setSaving(path, { kind: 'saving' });
  const { caption_extension: captionExtension } = useProject.getState().captioning;
  try {
    const { caption } = await call('captions:write', { imageId: image.id, captionExtension, text });
    useCaptioning.setState((state) => ({
      images: state.images.map((other) => (other.path === path ? { ...other, caption } : other)),
      outcomes: without(state.outcomes, path),
      drafts: state.drafts[path] === text ? without(state.drafts, path) : state.drafts,
    }));
    setSaving(path, { kind: 'saved' });
  } catch (thrown) {
    setSaving(path, { kind: 'failed', problem: problemOf(thrown) });
  }
}

/** Writes all drafts, those too whose rows are not on the screen. */
export async function saveCaptions(): Promise<void> {
  await Promise.all(Object.keys(useCaptioning.getState().drafts).map(saveCaption));
}

/** Writes a caption that was chosen among those on offer. */
export async function takeOffer(path: string, text: string): Promise<void> {
  draftCaption(path, text);
  await saveCaption(path);
  forgetOffer(path);
}

export const forgetOffer = (path: string): void =>
  useCaptioning.setState(({ offers }) => ({ offers: without(offers, path) }));

interface Wanted {
  /** Paths of the pictures; null for all of the folder. */
  readonly images: readonly string[] | null;
  /** Captions of each to choose from; 0 writes one. */
  readonly candidates: number;
  /** Anew, whatever is there. */
  readonly again?: boolean;
}

export async function captionImages({ images, candidates, again }: Wanted): Promise<void> {
  const { captioning, training } = useProject.getState();
  await saveCaptions();
  useCaptioning.setState({ outcomes: {}, saving: {}, offers: {} });
  await startJob({
    kind: 'caption',
    logging_dir: typeof training.logging_dir === 'string' ? training.logging_dir : '',
    config: captionConfigSchema.parse({
      ...captioning,
      images,
      candidates,
      ...(again === true && captioning.existing === 'skip' && { existing: 'overwrite' }),
    }),
  });
}

/** Follows captions as they are made, and says when a run has ended. */
export function connectCaptioning(): void {
  on('datasets:read', (read) =>
    useCaptioning.setState(({ images }) => ({ images: withFacts(images, read) })),
  );
  onEdited((edited) =>
    useCaptioning.setState(({ images }) => ({ images: withImage(images, edited) })),
  );
  on('jobs:events', ({ events }) => {
    const captions = captionEvents(events);
    if (captions.length > 0) useCaptioning.setState((state) => mergeCaptions(state, captions));
  });
  useJobs.subscribe(({ views }, before) => {
    for (const view of Object.values(views)) {
      const earlier = before.views[view.id];
      if (view.kind !== 'caption' || earlier === undefined) continue;
      if (isOver(earlier.status) || !isOver(view.status)) continue;
      void readFolder();
      const isOffer = view.lastCaption?.outcome === 'offered';
      if (view.status.kind === 'completed' && !isOffer) announce(view.captionFailures.length);
    }
  });
}

function announce(failures: number): void {
  const images = useCaptioning.getState().images.length;
  notifyDone({
    title: 'Captions are ready',
    message:
      failures > 0
        ? `${formatQuantity(failures, 'image')} could not be captioned: see the marks in the list.`
        : `${formatQuantity(images, 'image')} in the folder. Read them through, then check the parameters.`,
    action: { label: 'Go to Parameters', run: () => showTab('parameters') },
  });
}
