import { useEffect } from 'react';
import { rememberModel } from '../../app/store';
import { useWindowFocus } from '../../components/useWindowFocus';
import { modelIdentity, runPlan } from './store';
import { useChecked } from './useChecked';

/**
 * Keeps what is asked of the parameters up to date with them: what the base model is, and, while all of them can be
 * used, what a run will do. Files may have changed while the window was not looked at.
 */
export function useQuestions(): void {
  const { config, problems } = useChecked();
  const focused = useWindowFocus();
  const path = config.pretrained_model_name_or_path;
  const usable = Object.keys(problems).length === 0;
  useEffect(() => modelIdentity.ask(path.trim() === '' ? null : { path }), [path, focused]);
  useEffect(() => runPlan.ask(usable ? config : null), [config, usable, focused]);

  const identity = modelIdentity.useAnswer();
  useEffect(() => {
    const { value, problem, pending } = modelIdentity.useAnswer.getState();
    if (pending || problem !== null || value === null) return;
    // A name of the hub proves nothing before it is fetched.
    if (value.kind === 'sdxl' && value.problem === null) rememberModel(path);
  }, [identity, path]);
}
