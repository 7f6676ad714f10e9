import { Button, Text } from '@mantine/core';
import {
  IconCircleCheck,
  IconFolderOpen,
  IconPlayerPause,
  IconPlayerStop,
} from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { secondsRun, type JobView } from '../../../shared/job-view';
import type { Inspection } from '../../../shared/worker-protocol';
import type { Problem } from '../../../shared/result';
import { call, problemOf } from '../../api';
import { attempt } from '../../app/notify';
import { Note } from '../../components/bits';
import {
  baseName,
  formatBytes,
  formatCount,
  formatDuration,
  formatLoss,
  formatQuantity,
  formatRate,
} from '../../format';
import { curveOf, smooth } from './curve';
import { ResumeButton } from './ResumeButton';
import { afterwards, stateText } from './state-text';
import { canGoOn } from './status';
import { TrainLonger } from './TrainLonger';

interface Inspected {
  readonly inspection: Inspection | null;
  readonly problem: Problem | null;
}

/** Reads the finished file back: the proof that it is whole. */
function useInspection(jobId: string, path: string | undefined): Inspected {
  const [inspected, setInspected] = useState<Inspected>({ inspection: null, problem: null });
  useEffect(() => {
    if (path === undefined) return;
    let gone = false;
    call('lora:inspect', { jobId, path }).then(
      (inspection) => gone || setInspected({ inspection, problem: null }),
      (thrown: unknown) => gone || setInspected({ inspection: null, problem: problemOf(thrown) }),
    );
    return () => {
      gone = true;
    };
  }, [jobId, path]);
  return inspected;
}

function contents({ modules, ranks, alphas, nonFiniteTensors }: Inspection): string {
  const parts = [formatQuantity(modules.length, 'module')];
  if (ranks.length > 0) parts.push(`rank ${ranks.join(', ')}`);
  if (alphas.length > 0) parts.push(`alpha ${alphas.map(formatRate).join(', ')}`);
  parts.push(
    nonFiniteTensors.length === 0
      ? 'all numbers finite'
      : `${formatQuantity(nonFiniteTensors.length, 'tensor')} with NaN`,
  );
  return parts.join(', ');
}

/** How it went, in one line: the time, the steps and where the loss went. */
function course(run: JobView): string {
  const parts = [`Took ${formatDuration(secondsRun(run))}`];
  if (run.lastStep) parts.push(formatQuantity(run.lastStep.step, 'step'));
  const smoothed = smooth(curveOf(run.points).raw, 0.9);
  const end = smoothed.at(-1);
  const start = smoothed[Math.min(9, smoothed.length - 1)];
  if (start !== undefined && end !== undefined && smoothed.length > 10)
    parts.push(`loss ${formatLoss(start)} to ${formatLoss(end)}`);
  return `${parts.join(', ')}.`;
}

const NAMED = 3;

/** LoRAs of earlier epochs and steps, for a run that did not get to write its last one. */
function SavedBefore({ run }: { readonly run: JobView }) {
  const { checkpoints } = run;
  if (checkpoints.length === 0) return null;
  const newest = checkpoints.slice(-NAMED).map(({ path }) => baseName(path));
  const others = checkpoints.length - newest.length;
  return (
    <Text size="sm" c="dimmed" className="outcome-kept wrap">
      {formatQuantity(checkpoints.length, 'LoRA')} saved before:{' '}
      {others > 0 && `${formatCount(others)} earlier ones, `}
      {newest.join(', ')}
    </Text>
  );
}

function Failure({ run, problem }: { readonly run: JobView; readonly problem: Problem }) {
  return (
    <div className="outcome" data-tone="error">
      <Note
        problem={problem}
        tone="error"
        action={
          <Text size="sm" c="dimmed" className="wrap">
            The whole log is in {run.folder} (console.log).
          </Text>
        }
      />
      {canGoOn(run) && (
        <div className="outcome-go-on">
          <Text size="sm" className="outcome-state numbers">
            {afterwards(run)}
          </Text>
          <ResumeButton job={run} variant="filled" />
        </div>
      )}
      <SavedBefore run={run} />
    </div>
  );
}

function Paused({ run }: { readonly run: JobView }) {
  const { lastStep, state } = run;
  return (
    <div className="outcome">
      <IconPlayerPause size={28} stroke={1.5} aria-hidden className="outcome-icon" />
      <div className="outcome-text">
        <Text fw={600}>
          {lastStep === null
            ? 'Paused before the first step'
            : `Paused after step ${formatCount(lastStep.step)} of ${formatCount(lastStep.total)}`}
        </Text>
        <Text size="sm" c="dimmed" className="numbers">
          {course(run)}
        </Text>
        <Text size="sm" c="dimmed" className="numbers">
          {state === null ? afterwards(run) : stateText(state)}
        </Text>
        <SavedBefore run={run} />
      </div>
      <ResumeButton job={run} variant="filled" />
    </div>
  );
}

/** The LoRA that a run ended with, and what it is. */
function Result({ run, file }: { readonly run: JobView; readonly file: string }) {
  const { inspection, problem } = useInspection(run.id, file);
  const bytes = run.checkpoints.find(({ path }) => path === file)?.bytes ?? inspection?.bytes;
  const others = run.checkpoints.filter(({ path }) => path !== file).length;
  return (
    <div className="outcome-text">
      <Text fw={600} className="wrap" title={file}>
        {baseName(file)}
        {bytes !== undefined && <span className="outcome-size"> {formatBytes(bytes)}</span>}
      </Text>
      <Text size="sm" c="dimmed" className="numbers">
        {course(run)}
      </Text>
      <Text size="sm" c="dimmed" className="numbers outcome-contents">
        {inspection ? contents(inspection) : (problem?.message ?? 'Reading the file back…')}
      </Text>
      {others > 0 && (
        <Text size="sm" c="dimmed" className="numbers">
          {formatQuantity(others, 'earlier one is', 'earlier ones are')} kept beside it.
        </Text>
      )}
    </div>
  );
}

function NoFile({ run }: { readonly run: JobView }) {
  return (
    <div className="outcome-text">
      <Text size="sm">
        {run.lastStep === null ? 'Stopped before the first step' : 'Stopped by force'}, so there is
        no file of its end. {course(run)}
      </Text>
      <Text size="sm" c="dimmed" className="numbers">
        {afterwards(run)}
      </Text>
      <SavedBefore run={run} />
    </div>
  );
}

function Made({ run }: { readonly run: JobView }) {
  const file = run.outputs[0];
  const Icon = run.status.kind === 'completed' ? IconCircleCheck : IconPlayerStop;
  return (
    <div className="outcome" data-tone={file === undefined ? undefined : 'good'}>
      <Icon size={28} stroke={1.5} aria-hidden className="outcome-icon" />
      {file === undefined ? <NoFile run={run} /> : <Result run={run} file={file} />}
      <div className="outcome-actions">
        {canGoOn(run) && <ResumeButton job={run} />}
        {run.lastStep !== null && run.state !== null && (
          <TrainLonger run={run} step={run.lastStep} state={run.state} />
        )}
        {file !== undefined && (
          <Button
            variant="light"
            leftSection={<IconFolderOpen size={16} aria-hidden />}
            onClick={() => attempt(() => call('jobs:reveal', { jobId: run.id, path: file }))}
          >
            Show in folder
          </Button>
        )}
      </div>
    </div>
  );
}

export function Outcome({ run }: { readonly run: JobView }) {
  const { status } = run;
  if (status.kind === 'failed') return <Failure run={run} problem={status.problem} />;
  return status.kind === 'paused' ? <Paused run={run} /> : <Made run={run} />;
}
