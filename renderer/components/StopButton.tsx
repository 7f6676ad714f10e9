import { Button, Group } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import { isOver, type JobView } from '../../shared/job-view';
import { stopJob } from '../app/jobs';
import { attempt } from '../app/notify';
import { HintedButton } from './HintedButton';

/** After this long without an end, ending by force is offered. */
const PATIENCE_MS = 20_000;

interface StopButtonProps {
  readonly job: JobView;
  /** What stopping does. */
  readonly hint: string;
  /** Another way to end it, on the same line. */
  readonly before?: ReactNode;
}

/** Stops a job gently; offers force only when gently does not do. */
export function StopButton({ job, hint, before }: StopButtonProps) {
  const [asked, setAsked] = useState(job.status.kind === 'stopping');
  const [waitedLong, setWaitedLong] = useState(false);
  const [forcing, setForcing] = useState(false);
  const stopping = asked || job.status.kind === 'stopping';
  const ending = stopping || job.status.kind === 'pausing';

  useEffect(() => {
    if (!ending) return;
    const timer = window.setTimeout(() => setWaitedLong(true), PATIENCE_MS);
    return () => window.clearTimeout(timer);
  }, [ending]);

  const stop = () => {
    setAsked(true);
    attempt(async () => {
      try {
        await stopJob(job.id, false);
      } catch (thrown) {
        setAsked(false);
        throw thrown;
      }
    });
  };

  const force = () => {
    setForcing(true);
    attempt(() => stopJob(job.id, true).finally(() => setForcing(false)));
  };

  if (isOver(job.status)) return null;
  return (
    <Group gap={8} grow>
      {!stopping && before}
      <HintedButton variant="default" hint={hint} unavailable={stopping} onClick={stop}>
        {stopping ? 'Stopping…' : 'Stop'}
      </HintedButton>
      {ending && waitedLong && (
        <Button color="red" variant="light" loading={forcing} onClick={force}>
          Force stop
        </Button>
      )}
    </Group>
  );
}
