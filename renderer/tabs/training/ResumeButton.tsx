import { IconPlayerPlay } from '@tabler/icons-react';
import { useState } from 'react';
import type { JobSummary } from '../../../shared/job-view';
import { attempt } from '../../app/notify';
import { HintedButton } from '../../components/HintedButton';
import { formatCount } from '../../format';
import { resumeTraining } from './store';
import { useRunningRun } from './useRun';

interface ResumeButtonProps {
  readonly job: Pick<JobSummary, 'id' | 'name' | 'state'>;
  readonly size?: 'sm' | 'compact-xs';
  readonly variant?: 'filled' | 'light';
  /** Where several stand below each other, each says what it resumes to whoever hears it. */
  readonly named?: boolean;
}

/** Goes on with a run that has ended: from its newest state, or from its beginning where it has none. */
export function ResumeButton(props: ResumeButtonProps) {
  const { job, size = 'sm', variant = 'light', named = false } = props;
  const [starting, setStarting] = useState(false);
  const running = useRunningRun();
  const label = job.state === null ? 'Start again' : 'Resume';
  const hint =
    job.state === null
      ? 'Begins this run again from its first step, with the same parameters.'
      : `Goes on after step ${formatCount(job.state.step)}, with the parameters that it was started with.`;
  const resume = () => {
    setStarting(true);
    attempt(() => resumeTraining(job.id).finally(() => setStarting(false)));
  };
  return (
    <HintedButton
      variant={variant}
      size={size}
      {...(size === 'sm' && { leftSection: <IconPlayerPlay size={16} aria-hidden /> })}
      {...(named && { 'aria-label': `${label} ${job.name}` })}
      hint={running === null ? hint : 'Another run is under way.'}
      unavailable={running !== null}
      loading={starting}
      onClick={resume}
    >
      {label}
    </HintedButton>
  );
}
