import { create } from 'zustand';
import type { ParameterKey } from '../../../shared/parameters';
import type { ParameterView } from '../../../shared/settings';
import { useApp } from '../../app/store';
import { createQuestion } from '../../question';

/** What the base model path turns out to be. Asked by whichever tab shows it. */
export const modelIdentity = createQuestion('model:identify', 500);

/** What lies in the folder of a model. */
export const modelsBeside = createQuestion('model:beside', 0);

/** What a run with these parameters will do. Asked by whichever tab shows it. */
export const runPlan = createQuestion('plan:make', 400);

/** How fast earlier trainings were: what the time of the next one is told from. */
export const runSpeeds = createQuestion('plan:speeds', 0);

interface Looking {
  readonly query: string;
  /** Shown whatever the view and the search say, until one of them changes. */
  readonly kept: ReadonlySet<ParameterKey>;
}

export const useLooking = create<Looking>(() => ({ query: '', kept: new Set() }));

export const searchFor = (query: string): void => useLooking.setState({ query, kept: new Set() });

export function showView(parameterView: ParameterView): void {
  useLooking.setState({ kept: new Set() });
  useApp.setState({ parameterView });
}

/** A field that is worked on stays where it is. */
export function keepShown(key: ParameterKey): void {
  const { kept } = useLooking.getState();
  if (!kept.has(key)) useLooking.setState({ kept: new Set([...kept, key]) });
}

/** Makes a field appear that the view or a search hides. */
export const reveal = (key: ParameterKey): void =>
  useLooking.setState({ query: '', kept: new Set([key]) });
