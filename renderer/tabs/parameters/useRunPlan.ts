import { useEffect } from 'react';
import { runPlan } from './store';
import type { Checked } from './useChecked';

/** Keeps the plan of a run up to date with its parameters, while they can be used and while it is wanted. */
export function useRunPlan({ config, problems }: Checked, focused: number, wanted = true): void {
  const usable = wanted && Object.keys(problems).length === 0;
  useEffect(() => runPlan.ask(usable ? config : null), [config, usable, focused]);
}
