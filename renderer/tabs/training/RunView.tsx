import { Badge, Button } from '@mantine/core';
import { IconCheck, IconFolderOpen, IconX } from '@tabler/icons-react';
import { call } from '../../api';
import { isOver, type JobStatus, type JobView } from '../../../shared/job-view';
import type { Problem } from '../../../shared/result';
import { attempt } from '../../app/notify';
import { Note } from '../../components/bits';
import { formatWhen } from '../../format';
import { ConsolePanel } from './ConsolePanel';
import { LossPanel } from './LossPanel';
import { Outcome } from './Outcome';
import { SamplesPanel } from './SamplesPanel';
import { phaseMarks, statusWord } from './status';
import { Tiles } from './Tiles';

const yellow: readonly JobStatus['kind'][] = ['stopped', 'paused', 'silent'];

const badgeColor = (status: JobStatus): string => {
  if (status.kind === 'failed') return 'red';
  return yellow.includes(status.kind) ? 'yellow' : 'petrol';
};

function Head({ run }: { readonly run: JobView }) {
  return (
    <header className="main-head">
      <h2 className="main-title run-title" title={run.name}>
        {run.name}
      </h2>
      <Badge variant="light" color={badgeColor(run.status)} size="lg" className="status-badge">
        {statusWord(run.status)}
      </Badge>
      <span className="run-when numbers">{formatWhen(run.createdAt)}</span>
      <Button
        variant="subtle"
        color="gray"
        size="compact-sm"
        className="push-right"
        leftSection={<IconFolderOpen size={16} aria-hidden />}
        onClick={() => attempt(() => call('jobs:reveal', { jobId: run.id, path: null }))}
      >
        Show job folder
      </Button>
    </header>
  );
}

function Phases({ run }: { readonly run: JobView }) {
  return (
    <ol className="phases" aria-label="Phases">
      {phaseMarks(run).map(({ label, state, count }) => (
        <li key={label} data-state={state} aria-current={state === 'current' ? 'step' : undefined}>
          <span className="phase-dot" aria-hidden>
            {state === 'done' && <IconCheck size={12} stroke={3} />}
            {state === 'current' && run.status.kind === 'failed' && <IconX size={12} stroke={3} />}
          </span>
          <span className="phase-label">{label}</span>
          <span className="phase-count numbers">{count}</span>
        </li>
      ))}
    </ol>
  );
}

function silence(status: JobStatus): Problem | null {
  if (status.kind !== 'silent') return null;
  const since = `No sign of life for ${Math.round(status.seconds)} s.`;
  return status.unresponsive
    ? {
        code: 'unresponsive',
        message: `${since} The run may hang.`,
        hint: 'Look at the console. If nothing moves, press Stop.',
      }
    : { code: 'slow', message: `${since} The machine may be busy.` };
}

/** What is not as it was when the state was saved that the run went on from. */
function changes({ resumed }: JobView): Problem | null {
  if (resumed === null || resumed.changes.length === 0) return null;
  return {
    code: 'changed',
    message: `Not all is as it was at step ${resumed.step}, from which this run went on.`,
    hint: resumed.changes.join('\n'),
  };
}

export function RunView({ run }: { readonly run: JobView }) {
  const quiet = silence(run.status);
  const changed = changes(run);
  return (
    <section className="run" aria-label="Run">
      <Head run={run} />
      {isOver(run.status) ? <Outcome run={run} /> : <Phases run={run} />}
      {quiet && <Note problem={quiet} tone="warning" />}
      {changed && <Note problem={changed} tone="warning" />}
      {run.warnings.slice(-3).map((warning) => (
        <Note key={warning.code + warning.message} problem={warning} tone="warning" />
      ))}
      <Tiles run={run} />
      <SamplesPanel run={run} />
      <div className="run-panels">
        <LossPanel points={run.points} validations={run.validations} over={isOver(run.status)} />
        <ConsolePanel jobId={run.id} over={isOver(run.status)} />
      </div>
    </section>
  );
}
