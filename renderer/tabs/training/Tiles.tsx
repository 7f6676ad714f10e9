import { isOver, type JobView } from '../../../shared/job-view';
import { Stat } from '../../components/bits';
import { formatBytes, formatCount, formatDuration, formatRate, formatSpeed } from '../../format';

export function Tiles({ run }: { readonly run: JobView }) {
  const step = run.lastStep;
  const device = run.hello?.device;
  const total = device?.memoryBytes ?? null;
  return (
    <dl className="stats tiles">
      <Stat
        label="Step"
        value={step ? formatCount(step.step) : '–'}
        detail={step ? `of ${formatCount(step.total)}` : undefined}
      />
      <Stat
        label="Epoch"
        value={step ? formatCount(step.epoch) : '–'}
        detail={step ? `of ${formatCount(step.epochs)}` : undefined}
      />
      <Stat label="Speed" value={step ? formatSpeed(step.secondsPerStep) : '–'} />
      <Stat
        label="Time left"
        value={step && !isOver(run.status) ? formatDuration(step.etaSeconds) : '–'}
      />
      <Stat label="Learning rate" value={step ? formatRate(step.learningRate) : '–'} />
      <Stat
        label={device?.kind === 'cuda' ? 'GPU memory' : 'Memory'}
        value={step ? formatBytes(step.memoryBytes) : '–'}
        detail={total === null ? undefined : `of ${formatBytes(total)}`}
      />
    </dl>
  );
}
