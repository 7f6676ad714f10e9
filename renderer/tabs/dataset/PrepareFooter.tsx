import { Button, Text } from '@mantine/core';
import {
  datasetLabels,
  hasSources,
  type DatasetForm,
  type Transfer,
} from '../../../shared/dataset-form';
import { Meter } from '../../components/bits';
import { attempt } from '../../app/notify';
import { useProject } from '../../app/project';
import { formatBytes, formatCount } from '../../format';
import { conceptName } from './concepts';
import { cancelPreparation, preparationPlan, prepare, usePreparation } from './store';

const required = ['instancePrompt', 'classPrompt', 'repeats'] as const;

/** The fields of a form that are still empty, as the screen calls them; with their concept where there are several. */
function missingFields({ concepts, destination }: DatasetForm): string[] {
  const missing = concepts.flatMap((concept, index) => {
    const where = concepts.length > 1 ? ` (${conceptName(concept, index)})` : '';
    const [instance, kind, repeats] = required.map((field) => {
      const value = concept[field];
      return value === null || String(value).trim() === '' ? datasetLabels[field] : null;
    });
    const folders = hasSources(concept) ? null : datasetLabels.folders;
    return [instance, kind, folders, repeats]
      .filter((label) => label !== null && label !== undefined)
      .map((label) => label + where);
  });
  return destination.trim() === '' ? [...missing, datasetLabels.destination] : missing;
}

/** Why the button cannot be pressed yet; null when it can. */
function useObstacle(): string | null {
  const form = useProject((project) => project.dataset);
  const { value, problem, pending } = preparationPlan.useAnswer();
  const missing = missingFields(form);
  if (missing.length > 0) return `Still needed: ${missing.join(', ')}.`;
  if (problem !== null) return problem.message;
  if (value === null || pending) return 'Looking at the folders…';
  const [first] = value.problems;
  if (first === undefined) return null;
  const where =
    form.concepts.length > 1 && first.concept !== null
      ? `${conceptName(form.concepts[first.concept], first.concept)}: `
      : '';
  return where + first.problem.message;
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

const ready: Record<Transfer, string> = {
  copy: 'Copies your images. The originals stay as they are.',
  link: 'Links your images and copies their captions. The originals stay where they are.',
};

export function PrepareFooter() {
  const obstacle = useObstacle();
  const transfer = useProject((project) => project.dataset.transfer);
  const idle = usePreparation((preparation) => preparation.kind === 'idle');
  if (!idle) return <RunningFooter />;
  return (
    <footer className="side-foot">
      <Text size="sm" c="dimmed" className="foot-line wrap" role="status" id="prepare-status">
        {obstacle ?? ready[transfer]}
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
