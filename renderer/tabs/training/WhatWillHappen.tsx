import { Anchor, Loader, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { TrainConfig } from '../../../shared/parameters';
import type { Plan } from '../../../shared/protocol';
import type { Problem } from '../../../shared/result';
import { showParameter } from '../../app/store';
import { Fact, Note, Section } from '../../components/bits';
import { formatCount } from '../../format';
import { Buckets } from '../parameters/plan/Buckets';
import { repeatsOf } from '../parameters/plan/figures';
import { TotalSteps } from '../parameters/plan/TotalSteps';
import { runPlan } from '../parameters/store';
import { useChecked } from '../parameters/useChecked';
import { SamplesAhead } from './SamplesAhead';

function Facts({ plan, config }: { readonly plan: Plan; readonly config: TrainConfig }) {
  return (
    <>
      <div className="plan-head">
        <TotalSteps plan={plan} config={config} />
      </div>
      <dl className="facts short">
        <Fact label="Images">{formatCount(plan.images)}</Fact>
        <Fact label="Repeats">{repeatsOf(plan)}</Fact>
        {plan.regularizationImages > 0 && (
          <Fact label="Regularisation images">{formatCount(plan.regularizationImages)}</Fact>
        )}
        {plan.validationImages > 0 && (
          <Fact label="Validation images">{formatCount(plan.validationImages)}</Fact>
        )}
        <Fact label="Steps an epoch">{formatCount(plan.stepsPerEpoch)}</Fact>
      </dl>
      <SamplesAhead config={config} />
      {plan.buckets.length > 0 && <Buckets buckets={plan.buckets} />}
    </>
  );
}

const wayOut = ({ code }: Problem): ReactNode =>
  code === 'sample_prompt_invalid' && (
    <Anchor
      component="button"
      type="button"
      size="sm"
      onClick={() => showParameter('sample_prompts')}
    >
      Change it
    </Anchor>
  );

export function WhatWillHappen() {
  const { config, problems } = useChecked();
  const { value, problem, pending } = runPlan.useAnswer();
  const wrong = Object.keys(problems).length;
  return (
    <div data-pending={pending || undefined} className="plan-panel">
      <Section
        title="What will happen"
        aside={pending && <Loader size={14} role="img" aria-label="Working it out" />}
      >
        {problem && <Note problem={problem} tone="error" action={wayOut(problem)} />}
        {value && <Facts plan={value} config={config} />}
        {wrong > 0 && (
          <Text size="sm" c="dimmed">
            The plan appears once all parameters can be used.
          </Text>
        )}
        {value?.warnings.map((warning) => (
          <Note key={warning.code + warning.message} problem={warning} tone="warning" />
        ))}
      </Section>
    </div>
  );
}
