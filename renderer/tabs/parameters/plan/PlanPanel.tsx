import { Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useEffect } from 'react';
import type { TrainConfig } from '../../../../shared/parameters';
import type { Plan } from '../../../../shared/protocol';
import { estimateTime } from '../../../../shared/time-estimate';
import { useJobs } from '../../../app/jobs';
import { Note } from '../../../components/bits';
import { formatQuantity } from '../../../format';
import { MemoryPanel } from '../memory/MemoryPanel';
import { runPlan, runSpeeds } from '../store';
import { useChecked } from '../useChecked';
import { Buckets } from './Buckets';
import {
  filesFigures,
  imagesFigure,
  regularizationFigure,
  stepsFigure,
  timeFigure,
  type Figure,
} from './figures';
import { TotalSteps } from './TotalSteps';

function Figures({
  title,
  figures,
}: {
  readonly title: string;
  readonly figures: readonly Figure[];
}) {
  return (
    <section aria-label={title}>
      <h3 className="small-title">{title}</h3>
      <dl className="figures">
        {figures.map(({ label, value, how, bad = false }) => (
          <div key={label + how} className="figure">
            <dt>{label}</dt>
            <dd className={bad ? 'bad' : undefined}>{value}</dd>
            <dd className="figure-how">{how}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** How long it will take, by runs that have ended or are under way. */
function useTime(plan: Plan, config: TrainConfig): Figure {
  const ended = useJobs(({ summaries }) =>
    summaries.map(({ id, status }) => `${id} ${status.kind}`).join(),
  );
  useEffect(() => runSpeeds.ask(undefined), [ended]);
  const { value } = runSpeeds.useAnswer();
  return timeFigure(estimateTime(config, plan, value ?? []));
}

function Contents({ plan, config }: { readonly plan: Plan; readonly config: TrainConfig }) {
  const time = useTime(plan, config);
  const regularization = regularizationFigure(plan);
  const { length } = plan.warnings;
  return (
    <>
      <div className="plan-head">
        <TotalSteps plan={plan} config={config} />
        {length > 0 && (
          <Text size="sm" className="attention">
            <IconAlertTriangle size={15} aria-hidden className="plan-head-icon" />{' '}
            {formatQuantity(length, 'warning')}, below
          </Text>
        )}
      </div>
      <Figures
        title="Length"
        figures={[
          stepsFigure(plan, config),
          ...(regularization === null ? [] : [regularization]),
          imagesFigure(plan),
          time,
        ]}
      />
      {plan.buckets.length > 0 && <Buckets buckets={plan.buckets} />}
      <Figures title="Files" figures={filesFigures(plan)} />
      {length > 0 && (
        <section aria-label="Warnings" className="plan-notes">
          <h3 className="small-title">Warnings</h3>
          {plan.warnings.map((warning) => (
            <Note key={warning.code + warning.message} problem={warning} tone="warning" />
          ))}
        </section>
      )}
    </>
  );
}

/** What a run with the parameters as they stand will do, each figure with how it comes about. */
export function PlanPanel() {
  const { config, problems } = useChecked();
  const { value, problem, pending } = runPlan.useAnswer();
  const wrong = Object.keys(problems).length;
  return (
    <div className="plan-content" data-pending={pending || undefined}>
      {problem !== null && <Note problem={problem} tone="error" />}
      {value !== null && <Contents plan={value} config={config} />}
      {wrong === 0 && <MemoryPanel />}
      {wrong > 0 && (
        <Text size="sm" c="dimmed">
          The plan appears once all parameters can be used.
        </Text>
      )}
    </div>
  );
}
