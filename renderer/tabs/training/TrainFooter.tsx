import { Anchor, Button, Text } from '@mantine/core';
import { useState } from 'react';
import type { JobView } from '../../../shared/job-view';
import type { ParameterKey } from '../../../shared/parameters';
import { useJobs, type PassingWish } from '../../app/jobs';
import { attempt } from '../../app/notify';
import { showParameter, useApp } from '../../app/store';
import { Meter } from '../../components/bits';
import { formatDuration } from '../../format';
import { modelIdentity, runPlan } from '../parameters/store';
import { useChecked } from '../parameters/useChecked';
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

function WrongParameters({ problems }: { readonly problems: readonly [string, string][] }) {
  return (
    <div className="wrong-list" role="status" id="train-status">
      <Text size="sm">Before training can start:</Text>
      <ul>
        {problems.slice(0, 4).map(([key, message]) => (
          <li key={key}>
            <Anchor
              component="button"
              type="button"
              size="sm"
              ta="left"
              onClick={() => showParameter(key as ParameterKey)}
            >
              {message}
            </Anchor>
          </li>
        ))}
        {problems.length > 4 && <li>and {problems.length - 4} more</li>}
      </ul>
    </div>
  );
}

function useObstacle(): string | null {
  const worker = useApp((app) => app.worker.kind);
  const plan = runPlan.useAnswer();
  const identity = modelIdentity.useAnswer();
  if (worker === 'failed') return 'Python does not work yet. See the message above.';
  const problem = plan.problem ?? identity.value?.problem ?? null;
  if (problem !== null) return problem.message;
  if (plan.value === null || plan.pending) return 'Planning the run…';
  return null;
}

export function TrainFooter() {
  const { config, problems } = useChecked();
  const [starting, setStarting] = useState(false);
  const obstacle = useObstacle();
  const running = useRunningRun();
  const wrong = Object.entries(problems);
  if (running !== null) return <Running run={running} />;

  const start = () => {
    setStarting(true);
    attempt(() => startTraining(config).finally(() => setStarting(false)));
  };
  return (
    <footer className="side-foot">
      {wrong.length > 0 ? (
        <WrongParameters problems={wrong} />
      ) : (
        <Text size="sm" c="dimmed" className="foot-line wrap" role="status" id="train-status">
          {obstacle ?? 'Ready.'}
        </Text>
      )}
      <Button
        fullWidth
        disabled={wrong.length > 0 || obstacle !== null}
        loading={starting}
        aria-describedby="train-status"
        onClick={start}
      >
        Start training
      </Button>
    </footer>
  );
}
