import { IconChartLine } from '@tabler/icons-react';
import { useJobs } from '../../app/jobs';
import { Empty } from '../../components/bits';
import { MemoryPanel } from '../parameters/memory/MemoryPanel';
import { useQuestions } from '../parameters/useQuestions';
import { EarlierRuns } from './EarlierRuns';
import { RunView } from './RunView';
import { TrainFooter } from './TrainFooter';
import { useShownRun } from './useRun';
import { WhatWillHappen } from './WhatWillHappen';
import { WhereThingsAre } from './WhereThingsAre';

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
