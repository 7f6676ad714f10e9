import { Button, Text } from '@mantine/core';
import { useState } from 'react';
import type { JobView } from '../../../shared/job-view';
import { useJobs, type PassingWish } from '../../app/jobs';
import { attempt } from '../../app/notify';
import { useApp } from '../../app/store';
import { Meter } from '../../components/bits';
import { formatDuration } from '../../format';
import { FindingList } from '../parameters/FindingList';
import { runPlan } from '../parameters/store';
import { useFindings } from '../parameters/useFindings';
import { RunControls } from './RunControls';
import { betweenStepsText, phaseMarks, progressOf } from './status';
import { startTraining, useTraining } from './store';
import { useRunningRun, useShownRun } from './useRun';

const wishText: Record<PassingWish, string> = {
  save: 'Saving after this step…',
  sample: 'Drawing samples after this step…',
};

function runningText(run: JobView, wish: PassingWish | undefined): string {
  if (run.status.kind === 'stopping') return 'Stopping after this step. What was learnt is saved.';
  if (run.status.kind === 'pausing') return 'Pausing after this step. It can go on from there.';
  if (wish !== undefined) return wishText[wish];
  const between = betweenStepsText(run);
  if (between !== null) return between;
  if (run.lastStep !== null && run.phase?.phase === 'training')
    return `Step ${run.lastStep.step} of ${run.lastStep.total}, ${formatDuration(run.lastStep.etaSeconds)} left`;
  const current = phaseMarks(run).find(({ state }) => state === 'current');
  return current ? [current.label, current.count].filter(Boolean).join(', ') : 'Starting…';
}

function Running({ run }: { readonly run: JobView }) {
  const shown = useShownRun();
  const wish = useJobs((jobs) => jobs.wishes[run.id]?.[0]);
  const { done, total } = progressOf(run);
  return (
    <footer className="side-foot">
      <Meter label="Training" value={done} max={total} />
      <Text size="sm" className="numbers foot-line" role="status">
        {runningText(run, wish)}
      </Text>
      {shown?.id !== run.id && (
        <Button variant="light" onClick={() => useTraining.setState({ shownJob: run.id })}>
          Show the running run
        </Button>
      )}
      <RunControls run={run} />
    </footer>
  );
}

/** Why training cannot start though every parameter can be used; null where it can. */
function useObstacle(): string | null {
  const worker = useApp((app) => app.worker.kind);
  const plan = runPlan.useAnswer();
  if (worker === 'failed') return 'Python does not work yet. See the message above.';
  if (plan.value === null || plan.pending) return 'Planning the run…';
  return null;
}

export function TrainFooter() {
  const { config, all } = useFindings();
  const [starting, setStarting] = useState(false);
  const obstacle = useObstacle();
  const running = useRunningRun();
  const errors = all.filter(({ tone }) => tone !== 'warning');
  const warnings = all.filter(({ tone }) => tone === 'warning');
  if (running !== null) return <Running run={running} />;

  const start = () => {
    setStarting(true);
    attempt(() => startTraining(config).finally(() => setStarting(false)));
  };
  return (
    <footer className="side-foot">
      <div className="finding-box" role="status" id="train-status">
        <Text size="sm" {...(errors.length === 0 && { c: 'dimmed' })} className="foot-line wrap">
          {errors.length > 0
            ? 'Before training can start:'
            : (obstacle ?? (warnings.length > 0 ? 'Ready. To think of:' : 'Ready.'))}
        </Text>
        <FindingList findings={errors.length > 0 ? errors : warnings} />
      </div>
      <Button
        fullWidth
        disabled={errors.length > 0 || obstacle !== null}
        loading={starting}
        aria-describedby="train-status"
        onClick={start}
      >
        Start training
      </Button>
    </footer>
  );
}
