import { Button, Text } from '@mantine/core';
import { datasetLabels } from '../../../shared/settings';
import { Meter } from '../../components/bits';
import { attempt } from '../../app/notify';
import { useProject } from '../../app/project';
import { formatBytes, formatCount } from '../../format';
import { cancelPreparation, preparationPlan, prepare, usePreparation } from './store';

const required = [
  'instancePrompt',
  'classPrompt',
  'imagesFolder',
  'repeats',
  'destination',
] as const;

/** Why the button cannot be pressed yet; null when it can. */
function useObstacle(): string | null {
  const form = useProject((project) => project.dataset);
  const { value, problem, pending } = preparationPlan.useAnswer();
  const missing = required
    .filter((field) => form[field] === '' || form[field] === null)
    .map((field) => datasetLabels[field]);
  if (missing.length > 0) return `Still needed: ${missing.join(', ')}.`;
  if (problem !== null) return problem.message;
  if (value === null || pending) return 'Looking at the folders…';
  return value.problems[0]?.problem.message ?? null;
}

function RunningFooter() {
  const preparation = usePreparation();
  const cancelling = preparation.kind === 'cancelling';
  const progress = preparation.kind === 'running' ? preparation.progress : null;
  return (
    <footer className="side-foot">
      <Meter label="Preparing" value={progress?.done ?? 0} max={progress?.total ?? 0} />
      <Text size="sm" className="numbers foot-line" role="status">
        {cancelling && 'Cancelling…'}
        {!cancelling && progress === null && 'Getting ready…'}
        {progress &&
          `${formatCount(progress.done)} of ${formatCount(progress.total)} images, ` +
            `${formatBytes(progress.bytesDone)} of ${formatBytes(progress.bytesTotal)}`}
      </Text>
      <Button
        variant="default"
        fullWidth
        disabled={cancelling}
        onClick={() => attempt(cancelPreparation)}
      >
        Cancel
      </Button>
    </footer>
  );
}

export function PrepareFooter() {
  const obstacle = useObstacle();
  const idle = usePreparation((preparation) => preparation.kind === 'idle');
  if (!idle) return <RunningFooter />;
  return (
    <footer className="side-foot">
      <Text size="sm" c="dimmed" className="foot-line wrap" role="status" id="prepare-status">
        {obstacle ?? 'Copies your images. The originals stay as they are.'}
      </Text>
      <Button
        fullWidth
        disabled={obstacle !== null}
        aria-describedby="prepare-status"
        onClick={() => attempt(prepare)}
      >
        Prepare training data
      </Button>
    </footer>
  );
}
