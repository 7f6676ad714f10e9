import { Group } from '@mantine/core';
import { IconPhoto, IconDeviceFloppy, IconPlayerPause } from '@tabler/icons-react';
import type { JobView } from '../../../shared/job-view';
import { pauseJob, useJobs, wishFor } from '../../app/jobs';
import { attempt } from '../../app/notify';
import { HintedButton } from '../../components/HintedButton';
import { StopButton } from '../../components/StopButton';
import { isBetweenLosses } from './status';

function PauseButton({ run }: { readonly run: JobView }) {
  const pausing = run.status.kind === 'pausing';
  return (
    <HintedButton
      variant="light"
      leftSection={<IconPlayerPause size={16} aria-hidden />}
      hint="Ends after this step and keeps everything that is needed to go on from there later. The GPU is free meanwhile."
      unavailable={pausing}
      onClick={() => attempt(() => pauseJob(run.id))}
    >
      {pausing ? 'Pausing…' : 'Pause'}
    </HintedButton>
  );
}

const TOO_EARLY = 'Possible once the first step begins.';

/** What a training that runs can be asked for: to save, to draw, to pause, to stop. */
export function RunControls({ run }: { readonly run: JobView }) {
  const wishes = useJobs((jobs) => jobs.wishes[run.id]);
  const saving = wishes?.includes('save') === true;
  const drawing = wishes?.includes('sample') === true;
  const trains = isBetweenLosses(run) && run.status.kind !== 'stopping';
  const free = trains && run.status.kind !== 'pausing';
  const hasPrompts = run.samplePrompts > 0;
  return (
    <>
      <Group gap={8} grow preventGrowOverflow={false}>
        <HintedButton
          variant="default"
          size="xs"
          leftSection={<IconDeviceFloppy size={16} aria-hidden />}
          hint={
            trains ? 'Saves the LoRA as it is after this step. The training goes on.' : TOO_EARLY
          }
          unavailable={!free || saving}
          onClick={() => attempt(() => wishFor(run.id, 'save'))}
        >
          {saving ? 'Saving…' : 'Save now'}
        </HintedButton>
        <HintedButton
          variant="default"
          size="xs"
          leftSection={<IconPhoto size={16} aria-hidden />}
          hint={
            !hasPrompts
              ? 'This run has no sample prompts.'
              : trains
                ? 'Draws the sample prompts after this step. The training goes on, as if nothing had been drawn.'
                : TOO_EARLY
          }
          unavailable={!free || drawing || !hasPrompts}
          onClick={() => attempt(() => wishFor(run.id, 'sample'))}
        >
          {drawing ? 'Drawing…' : 'Draw samples now'}
        </HintedButton>
      </Group>
      <StopButton
        key={run.id}
        job={run}
        hint="Ends after this step and saves the LoRA as it is. It can be gone on with later."
        before={<PauseButton run={run} />}
      />
    </>
  );
}
