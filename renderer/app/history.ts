import { create } from 'zustand';
import type { TrainDraft } from '../../shared/settings';

/**
 * What was done to the parameters in this session, so that it can be taken back. Ctrl+Z in a parameter's field takes
 * back a step of this history, all that was typed there at once, and never single letters: the browser's own undo knows
 * nothing of presets and resets, and two histories of one text would contradict each other. Text that is no parameter,
 * such as the search, keeps the browser's undo.
 */

/** A change of the parameters, as it is about to be made. */
export interface Change {
  /** What it did, for the undo button: `Epoch`, `Preset avatar`. */
  readonly label: string;
  /** The field to show when it is taken back. */
  readonly field?: string;
  /** Typing: joins with what was typed in the same field just before. */
  readonly typed?: boolean;
}

interface Step extends Change {
  readonly before: TrainDraft;
  readonly after: TrainDraft;
}

interface History {
  readonly past: readonly Step[];
  readonly future: readonly Step[];
  /** Whether more typing in the field of the last step still belongs to it. */
  readonly open: boolean;
}

/** More steps than anybody takes back one by one. */
const MOST_STEPS = 200;

export const useHistory = create<History>(() => ({ past: [], future: [], open: false }));

const sameDraft = (one: TrainDraft, other: TrainDraft): boolean => {
  const [a, b] = [Object.entries(one), other as Record<string, unknown>];
  return a.length === Object.keys(b).length && a.every(([key, value]) => b[key] === value);
};

/** Keeps a change that is being made. One that changes nothing, or that was typed and deleted again, is no step. */
export function remember(change: Change, before: TrainDraft, after: TrainDraft): void {
  const { past, open } = useHistory.getState();
  const last = past.at(-1);
  const joins = open && change.typed === true && last?.field === change.field;
  const step: Step = { ...change, before: joins && last ? last.before : before, after };
  const earlier = joins ? past.slice(0, -1) : past;
  if (sameDraft(before, after)) return;
  useHistory.setState({
    past: sameDraft(step.before, after) ? earlier : [...earlier, step].slice(-MOST_STEPS),
    future: [],
    open: change.typed === true,
  });
}

/** The field was left: what is typed next is a step of its own. */
export const closeStep = (): void => useHistory.setState({ open: false });

/** The step to take back, whose `before` is the draft to return to. */
export function takeBack(): Step | null {
  const { past, future } = useHistory.getState();
  const step = past.at(-1);
  if (step === undefined) return null;
  useHistory.setState({ past: past.slice(0, -1), future: [step, ...future], open: false });
  return step;
}

/** The step to do again, whose `after` is the draft to return to. */
export function takeAgain(): Step | null {
  const { past, future } = useHistory.getState();
  const [step, ...later] = future;
  if (step === undefined) return null;
  useHistory.setState({ past: [...past, step], future: later, open: false });
  return step;
}
