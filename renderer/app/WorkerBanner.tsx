import { Button } from '@mantine/core';
import { call } from '../api';
import { Note } from '../components/bits';
import { attempt } from './notify';
import { useApp } from './store';

/** Says that the Python environment is broken, and what to do. Nothing can be planned or trained until it is mended. */
export function WorkerBanner() {
  const worker = useApp((app) => app.worker);
  if (worker.kind !== 'failed') return null;
  return (
    <div className="banner">
      <Note
        problem={worker.problem}
        tone="error"
        action={
          <Button
            size="compact-sm"
            variant="default"
            mt={4}
            onClick={() => attempt(() => call('app:openLogFolder'))}
          >
            Open log folder
          </Button>
        }
      />
    </div>
  );
}
