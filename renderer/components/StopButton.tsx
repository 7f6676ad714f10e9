import { Button, Group } from '@mantine/core';
import { useEffect, useState } from 'react';
import { isOver, type JobView } from '../../shared/job-view';
import { stopJob } from '../app/jobs';
import { attempt } from '../app/notify';

/** After this long without an end, ending by force is offered. */
const PATIENCE_MS = 20_000;

/** Stops a job gently; offers force only when gently does not do. */
export function StopButton({ job }: { readonly job: JobView }) {
  const [asked, setAsked] = useState(job.status.kind === 'stopping');
  const [waitedLong, setWaitedLong] = useState(false);
  const [forcing, setForcing] = useState(false);
  const stopping = asked || job.status.kind === 'stopping';

  useEffect(() => {
    if (!stopping) return;
    const timer = window.setTimeout(() => setWaitedLong(true), PATIENCE_MS);
    return () => window.clearTimeout(timer);
  }, [stopping]);

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
      <Button variant="default" disabled={stopping} onClick={stop}>
        {stopping ? 'Stopping…' : 'Stop'}
      </Button>
      {stopping && waitedLong && (
        <Button color="red" variant="light" loading={forcing} onClick={force}>
          Force stop
        </Button>
      )}
    </Group>
  );
}
