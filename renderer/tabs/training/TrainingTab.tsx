import { IconChartLine } from '@tabler/icons-react';
import { useEffect } from 'react';
import { useJobs } from '../../app/jobs';
import { Empty } from '../../components/bits';
import { useWindowFocus } from '../../components/useWindowFocus';
import { MemoryPanel } from '../parameters/memory/MemoryPanel';
import { modelIdentity } from '../parameters/store';
import { useChecked } from '../parameters/useChecked';
import { useRunPlan } from '../parameters/useRunPlan';
import { EarlierRuns } from './EarlierRuns';
import { RunView } from './RunView';
import { TrainFooter } from './TrainFooter';
import { useShownRun } from './useRun';
import { WhatWillHappen } from './WhatWillHappen';
import { WhereThingsAre } from './WhereThingsAre';

function useQuestions(): void {
  const checked = useChecked();
  const focused = useWindowFocus();
  const path = checked.config.pretrained_model_name_or_path;
  useRunPlan(checked, focused);
  useEffect(() => modelIdentity.ask(path.trim() === '' ? null : { path }), [path, focused]);
}

export function TrainingTab() {
  useQuestions();
  const run = useShownRun();
  const hasEarlier = useJobs(({ summaries }) => summaries.some(({ kind }) => kind === 'train'));
  return (
    <div className="tab-layout">
      <aside className="side" aria-label="The run">
        <div className="side-scroll" tabIndex={0} role="group" aria-label="Settings">
          <WhereThingsAre />
          <WhatWillHappen />
          <MemoryPanel />
          <EarlierRuns />
        </div>
        <TrainFooter />
      </aside>
      <div className="main">
        {run === null ? (
          <Empty
            icon={<IconChartLine size={40} stroke={1.25} />}
            title={hasEarlier ? 'No run shown' : 'No run yet'}
          >
            {hasEarlier && 'Choose an earlier one under Runs, or start a new one. '}
            Start training, and the loss curve, the speed and the console appear here as it goes.
          </Empty>
        ) : (
          <RunView key={run.id} run={run} />
        )}
      </div>
    </div>
  );
}
