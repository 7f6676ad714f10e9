import type { JobStatus, JobSummary } from '../../../shared/job-view';
import { useJobs } from '../../app/jobs';
import { attempt } from '../../app/notify';
import { Section } from '../../components/bits';
import { formatWhen } from '../../format';
import { ResumeButton } from './ResumeButton';
import { canGoOn, statusWord } from './status';
import { showRun } from './store';
import { useShownRun } from './useRun';

const SHOWN = 8;

const toneOf = (status: JobStatus): string =>
  status.kind === 'failed' ? 'bad' : status.kind === 'completed' ? 'good' : 'plain';

/** Where it would be a loss not to go on: paused, or ended without having been asked to. */
const waitsToGoOn = (job: JobSummary): boolean =>
  canGoOn(job) &&
  (job.status.kind === 'paused' || (job.status.kind === 'failed' && job.state !== null));

function RunLine({ job, current }: { readonly job: JobSummary; readonly current: boolean }) {
  return (
    <li className="run-item" data-current={current || undefined}>
      <button
        type="button"
        className="run-line"
        aria-current={current || undefined}
        onClick={() => attempt(() => showRun(job.id))}
      >
        <span className="run-name">{job.name}</span>
        <span className={`run-status ${toneOf(job.status)}`}>{statusWord(job.status)}</span>
        <span className="run-when numbers">{formatWhen(job.createdAt)}</span>
      </button>
      {waitsToGoOn(job) && <ResumeButton job={job} size="compact-xs" named />}
    </li>
  );
}

export function EarlierRuns() {
  const summaries = useJobs((jobs) => jobs.summaries);
  const shown = useShownRun();
  const runs = summaries.filter(({ kind }) => kind === 'train').slice(0, SHOWN);
  if (runs.length === 0) return null;
  return (
    <Section title="Runs">
      <ul className="runs">
        {runs.map((job) => (
          <RunLine key={job.id} job={job} current={job.id === shown?.id} />
        ))}
      </ul>
    </Section>
  );
}
