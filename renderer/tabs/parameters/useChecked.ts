import { useMemo } from 'react';
import { parameterProblems, type ParameterKey, type TrainConfig } from '../../../shared/parameters';
import { configOf, useProject } from '../../app/project';

interface Checked {
  readonly config: TrainConfig;
  readonly problems: Partial<Record<ParameterKey, string>>;
}

/** The parameters as they stand, and what is wrong with them. */
export function useChecked(): Checked {
  const training = useProject((project) => project.training);
  return useMemo(() => {
    const config = configOf(training);
    return { config, problems: parameterProblems(config) };
  }, [training]);
}
