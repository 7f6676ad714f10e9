import { useMemo } from 'react';
import { parameterKeys, type ParameterKey } from '../../../shared/parameters';
import type { Problem } from '../../../shared/result';
import { describeIdentity } from './identity';
import { fieldOf } from './problem-fields';
import { modelIdentity, runPlan } from './store';
import { isNeeded, useChecked, type Checked } from './useChecked';

/** One thing to know before a start, with the field it is about. */
export interface Finding {
  readonly key: ParameterKey | null;
  readonly message: string;
  /** Needed: empty because nobody has chosen it yet, which is no mistake. */
  readonly tone: 'error' | 'needed' | 'warning';
}

/** What is known of the parameters: by the table, by what the base model is, by the plan. */
export interface Findings extends Checked {
  /** By the field that each is about. */
  readonly warnings: Partial<Record<ParameterKey, string>>;
  /** Everything: what keeps a training from starting first. */
  readonly all: readonly Finding[];
  /** What the base model turned out to be. */
  readonly modelRemark: string;
}

const sentencesOf = ({ message, hint }: Problem): string =>
  hint === undefined ? message : `${message} ${hint}`;

const MODEL = 'pretrained_model_name_or_path';

const finding = (
  key: ParameterKey | null,
  message: string | undefined,
  tone: Finding['tone'],
): Finding => ({ key, message: message ?? '', tone });

/** Sorts what is known by the fields that it is about. */
export function gather(
  { config, problems }: Checked,
  model: Problem | null,
  planProblem: Problem | null,
  planWarnings: readonly Problem[],
): Omit<Findings, 'modelRemark'> {
  const errors: Partial<Record<ParameterKey, string>> = { ...problems };
  const planKey = planProblem === null ? null : fieldOf(planProblem);
  if (planProblem !== null && planKey !== null) errors[planKey] ??= sentencesOf(planProblem);
  if (model !== null) errors[MODEL] ??= sentencesOf(model);

  const warnings: Partial<Record<ParameterKey, string>> = {};
  // The plan warns of the base model too, which is an error at its field.
  const news = planWarnings.filter(({ message }) => message !== model?.message);
  for (const warning of news) {
    const key = fieldOf(warning);
    if (key !== null) warnings[key] = [warnings[key] ?? '', sentencesOf(warning)].join('\n').trim();
  }
  const needs = (key: ParameterKey) => isNeeded(config[key], key);
  const inTable = parameterKeys.filter((key) => errors[key] !== undefined);
  const all: Finding[] = [
    ...inTable.filter((key) => !needs(key)).map((key) => finding(key, errors[key], 'error')),
    ...(planProblem !== null && planKey === null
      ? [finding(null, planProblem.message, 'error')]
      : []),
    ...inTable.filter(needs).map((key) => finding(key, errors[key], 'needed')),
    ...news.map((each) => finding(fieldOf(each), each.message, 'warning')),
  ];
  return { config, problems: errors, warnings, all };
}

/** Reads what `useQuestions` asks. */
export function useFindings(): Findings {
  const checked = useChecked();
  const identity = modelIdentity.useAnswer();
  const plan = runPlan.useAnswer();
  return useMemo(() => {
    const model = identity.pending ? null : (identity.problem ?? identity.value?.problem ?? null);
    const known = !identity.pending && model === null && identity.value !== null;
    return {
      ...gather(checked, model, plan.problem, plan.value?.warnings ?? []),
      modelRemark: identity.pending
        ? 'Looking at the model…'
        : known
          ? describeIdentity(identity.value)
          : '',
    };
  }, [checked, identity, plan]);
}

/** What is to be mended, and what has only not been chosen yet. */
export function countErrors({ config, problems }: Checked, keys: readonly ParameterKey[]) {
  const unusable = keys.filter((key) => problems[key] !== undefined);
  const needed = unusable.filter((key) => isNeeded(config[key], key)).length;
  return { wrong: unusable.length - needed, needed };
}
