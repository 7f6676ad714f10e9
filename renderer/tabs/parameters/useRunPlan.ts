import { useEffect } from 'react';
import { runPlan } from './store';
import type { Checked } from './useChecked';

/** Keeps the plan of a run up to date with its parameters, while they can be used. */
export function useRunPlan({ config, problems }: Checked, focused: number): void {
  const usable = Object.keys(problems).length === 0;
  useEffect(() => runPlan.ask(usable ? config : null), [config, usable, focused]);
}
