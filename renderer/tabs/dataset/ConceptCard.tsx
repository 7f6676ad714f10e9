import { ActionIcon, Tooltip, UnstyledButton } from '@mantine/core';
import { IconAlertTriangle, IconChevronRight, IconTrash } from '@tabler/icons-react';
import { useProject } from '../../app/project';
import { useDropTarget } from '../../components/Drop';
import { formatQuantity } from '../../format';
import { ConceptFields } from './ConceptFields';
import { conceptName, openConcept, removeConcept, takeImages, useView } from './concepts';
import { preparationPlan, usePreparation } from './store';

/** `12 images × 20`, as far as it is known. */
function useSummary(index: number): string {
  const repeats = useProject((project) => project.dataset.concepts[index]?.repeats ?? null);
  const images = preparationPlan.useAnswer(
    (answer) =>
      answer.value?.folders.find(({ role, concepts }) => role === 'img' && concepts.includes(index))
        ?.images,
  );
  const times = repeats === null ? '' : ` × ${repeats}`;
  return images === undefined ? '' : `${formatQuantity(images, 'image')}${times}`;
}

/** One of several concepts: folded away but for one. Images dropped on it are added to it. */
export function ConceptCard({ index }: { readonly index: number }) {
  const concept = useProject((project) => project.dataset.concepts[index]);
  const isOpen = useView((view) => view.open === index);
  const hasProblem = preparationPlan.useAnswer(
    (answer) => answer.value?.problems.some((entry) => entry.concept === index) ?? false,
  );
  const disabled = usePreparation((preparation) => preparation.kind !== 'idle');
  const summary = useSummary(index);
  const { over, handlers } = useDropTarget((paths) => takeImages(index, paths, 'add'));
  const name = conceptName(concept, index);
  const body = `concept-${index}`;
  return (
    <section
      className="concept-card"
      aria-label={name}
      data-over={over || undefined}
      data-open={isOpen || undefined}
      {...handlers}
    >
      <header className="concept-head">
        <UnstyledButton
          className="concept-toggle"
          aria-expanded={isOpen}
          aria-controls={body}
          onClick={() => openConcept(isOpen ? null : index)}
        >
          <IconChevronRight size={16} aria-hidden className="concept-chevron" />
          <span className="concept-name">{name}</span>
          {hasProblem && (
            <IconAlertTriangle size={16} className="concept-alert" aria-label="To be completed" />
          )}
          <span className="concept-summary numbers">{summary}</span>
        </UnstyledButton>
        <Tooltip label="Remove this concept">
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`Remove ${name}`}
            disabled={disabled}
            onClick={() => removeConcept(index)}
          >
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </header>
      <div id={body} className="concept-body" hidden={!isOpen}>
        {isOpen && <ConceptFields index={index} />}
      </div>
    </section>
  );
}
