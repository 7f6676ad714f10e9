import { Button, Text } from '@mantine/core';
import type { JobView } from '../../../shared/job-view';
import { useJobs, latestJob, runningJob } from '../../app/jobs';
import { attempt } from '../../app/notify';
import { useProject } from '../../app/project';
import { chosenOf, useSelection } from '../../app/selection';
import { useApp } from '../../app/store';
import { Meter, Note } from '../../components/bits';
import { StopButton } from '../../components/StopButton';
import { formatCount, formatDuration, formatQuantity } from '../../format';
import { captionProblems } from './checks';
import { captionImages, useCaptioning } from './store';

function useObstacle(): string | null {
  const form = useProject((project) => project.captioning);
  const worker = useApp((app) => app.worker.kind);
  const { images, problem, reading } = useCaptioning();
  const wrong = Object.values(captionProblems(form))[0];
  if (form.image_dir === '') return 'Choose the folder with the images to caption.';
  if (worker === 'failed') return 'Python does not work yet. See the message above.';
  if (wrong !== undefined) return wrong;
  if (problem !== null) return problem.message;
  if (images.length === 0) return reading ? 'Reading the folder…' : 'This folder has no images.';
  return null;
}

function progressText({ lastCaption, phase, status }: JobView): string {
  if (status.kind === 'stopping') return 'Stopping after this image…';
  if (lastCaption === null)
    return phase?.phase === 'loading_model' ? 'Loading the model…' : 'Starting…';
  const { done, total, imagesPerSecond, etaSeconds } = lastCaption;
  const speed = imagesPerSecond > 0 ? `, ${imagesPerSecond.toFixed(1)} images/s` : '';
  return `${formatCount(done)} of ${formatCount(total)}${speed}, ${formatDuration(etaSeconds)} left`;
}

function Running({ job }: { readonly job: JobView }) {
  return (
    <footer className="side-foot">
      <Meter
        label="Captioning"
        value={job.lastCaption?.done ?? 0}
        max={job.lastCaption?.total ?? 0}
      />
      <Text size="sm" className="numbers foot-line" role="status">
        {progressText(job)}
      </Text>
      <StopButton job={job} hint="Ends after this image. What was written is kept." />
    </footer>
  );
}

/** What the last run came to, in one line. */
function lastRun(job: JobView | null): string | null {
  if (job === null) return null;
  const done = job.lastCaption?.done ?? 0;
  const failed = job.captionFailures.length;
  const tail = failed > 0 ? `, ${failed} failed` : '';
  if (job.status.kind === 'stopped')
    return `Stopped after ${formatQuantity(done, 'image')}${tail}. What was written is kept.`;
  if (job.status.kind === 'completed') return `Done: ${formatQuantity(done, 'image')}${tail}.`;
  return null;
}

/** A run over the pictures that are chosen in the list. */
function ChosenButton({ disabled }: { readonly disabled: boolean }) {
  const folder = useCaptioning((state) => state.folder);
  const all = useCaptioning((state) => state.images);
  const selection = useSelection();
  const images = chosenOf(selection, folder, all);
  if (images.length === 0) return null;
  return (
    <Button
      fullWidth
      variant="default"
      disabled={disabled}
      onClick={() => attempt(() => captionImages({ images, candidates: 0, again: true }))}
    >
      Caption {formatQuantity(images.length, 'selected image')}
    </Button>
  );
}

export function CaptionFooter() {
  const obstacle = useObstacle();
  const running = useJobs((jobs) => runningJob(jobs, 'caption'));
  const latest = useJobs((jobs) => latestJob(jobs, 'caption'));
  const images = useCaptioning((state) => state.images.length);
  if (running !== null) return <Running job={running} />;
  return (
    <footer className="side-foot">
      {latest?.status.kind === 'failed' && <Note problem={latest.status.problem} tone="error" />}
      <Text size="sm" c="dimmed" className="foot-line wrap" role="status" id="caption-status">
        {obstacle ?? lastRun(latest) ?? `${formatQuantity(images, 'image')} in this folder.`}
      </Text>
      <Button
        fullWidth
        disabled={obstacle !== null}
        aria-describedby="caption-status"
        onClick={() => attempt(() => captionImages({ images: null, candidates: 0 }))}
      >
        Caption images
      </Button>
      <ChosenButton disabled={obstacle !== null} />
    </footer>
  );
}
