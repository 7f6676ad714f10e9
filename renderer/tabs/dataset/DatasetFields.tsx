import { Button } from '@mantine/core';
import { IconPlus, IconScale } from '@tabler/icons-react';
import { useState } from 'react';
import { datasetLabels } from '../../../shared/dataset-form';
import { editDataset, useProject } from '../../app/project';
import { PathField } from '../../components/PathField';
import { BalanceDialog } from './balance/BalanceDialog';
import { ConceptCard } from './ConceptCard';
import { ConceptFields, useFieldErrors } from './ConceptFields';
import { addConcept } from './concepts';
import { usePreparation } from './store';

function Concepts() {
  const count = useProject((project) => project.dataset.concepts.length);
  if (count === 1) return <ConceptFields index={0} />;
  return (
    <div className="concepts">
      {Array.from({ length: count }, (_, index) => (
        <ConceptCard key={index} index={index} />
      ))}
    </div>
  );
}

export function DatasetFields() {
  const destination = useProject((project) => project.dataset.destination);
  const disabled = usePreparation((preparation) => preparation.kind !== 'idle');
  const errorOf = useFieldErrors(null);
  const [isBalancing, setBalancing] = useState(false);
  return (
    <>
      <Concepts />
      <PathField
        name="destination"
        label={datasetLabels.destination}
        value={destination}
        error={errorOf('destination', destination)}
        disabled={disabled}
        onChange={(value) => editDataset({ destination: value })}
      />
      <div className="concept-actions">
        <Button
          variant="subtle"
          size="compact-sm"
          leftSection={<IconPlus size={14} aria-hidden />}
          disabled={disabled}
          onClick={addConcept}
        >
          Add concept
        </Button>
        <Button
          variant="subtle"
          size="compact-sm"
          leftSection={<IconScale size={14} aria-hidden />}
          disabled={disabled}
          onClick={() => setBalancing(true)}
        >
          Balance repeats
        </Button>
      </div>
      <BalanceDialog opened={isBalancing} onClose={() => setBalancing(false)} />
    </>
  );
}
