import { isOver, type JobView } from '../../../shared/job-view';
import type { EventOf } from '../../../shared/protocol';
import { Stat } from '../../components/bits';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatImageSpeed,
  formatLoss,
  formatRate,
  formatSpeed,
} from '../../format';
import { rateDetail } from './rates';

type Step = EventOf<'step'>;

function Rate({ step }: { readonly step: Step | null }) {
  const detail = step === null ? null : rateDetail(step.rates);
  return (
    <Stat
      label="Learning rate"
      value={step ? formatRate(step.learningRate) : '–'}
      detail={detail && <span title={detail.all}>{detail.short}</span>}
    />
  );
}

/** What Scale weight norms does; nothing while it is off. */
function Norms({ norms }: { readonly norms: Step['keyNorms'] }) {
  if (norms === null) return null;
  return (
    <Stat
      label="Key norms"
      value={formatRate(norms.average)}
      detail={`largest ${formatRate(norms.largest)}, ${formatCount(norms.scaled)} scaled`}
    />
  );
}

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
      <Stat
        label="Average loss"
        value={formatLoss(step?.averageLoss ?? null)}
        detail={step ? `last ${formatLoss(step.loss)}` : undefined}
      />
      <Stat
        label="Speed"
        value={step ? formatSpeed(step.secondsPerStep) : '–'}
        detail={
          step && step.imagesPerSecond > 0 ? formatImageSpeed(step.imagesPerSecond) : undefined
        }
      />
      <Stat
        label="Time left"
        value={step && !isOver(run.status) ? formatDuration(step.etaSeconds) : '–'}
      />
      <Rate step={step} />
      <Norms norms={step?.keyNorms ?? null} />
      <Stat
        label={device?.kind === 'cuda' ? 'GPU memory' : 'Memory'}
        value={step ? formatBytes(step.memoryBytes) : '–'}
        detail={total === null ? undefined : `of ${formatBytes(total)}`}
      />
    </dl>
  );
}
