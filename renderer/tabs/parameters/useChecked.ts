import { useMemo } from 'react';
import {
  parameterProblems,
  parameters,
  type ParameterKey,
  type TrainConfig,
} from '../../../shared/parameters';
import { configOf, useProject } from '../../app/project';

export interface Checked {
  readonly config: TrainConfig;
  readonly problems: Partial<Record<ParameterKey, string>>;
}

/** Empty because nobody has chosen it yet, which is no mistake: it is asked for, not marked in red. */
export const isNeeded = (value: unknown, key: ParameterKey): boolean =>
  value === '' && parameters[key].default === '';

/** The parameters as they stand, and what is wrong with them. */
export function useChecked(): Checked {
  const training = useProject((project) => project.training);
  return useMemo(() => {
    const config = configOf(training);
    return { config, problems: parameterProblems(config) };
  }, [training]);
}
