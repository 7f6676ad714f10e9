import { create } from 'zustand';
import type { OwnPreset } from '../../../../shared/preset-values';
import { ProblemError } from '../../../../shared/result';
import { call } from '../../../api';
import { notifyProblem } from '../../../app/notify';

/** The user's own presets, by name, as main read them last. */
export const useOwnPresets = create<{ readonly presets: readonly OwnPreset[] }>(() => ({
  presets: [],
}));

export async function readOwnPresets(): Promise<void> {
  const { presets, problems } = await call('presets:list');
  useOwnPresets.setState({ presets });
  for (const { code, message, hint } of problems)
    notifyProblem(new ProblemError(code, message, hint));
}
