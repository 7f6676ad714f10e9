import { TextInput } from '@mantine/core';
import { datasetLabels, type DatasetForm } from '../../../shared/settings';
import { NumberField } from '../../components/NumberField';
import { PathField } from '../../components/PathField';
import { editDataset, useProject } from '../../app/project';
import { preparationPlan, regularizationScan, trainingScan, usePreparation } from './store';

/** What is wrong with a field that was filled in. Empty fields are listed beside the button instead, not in red. */
function useFieldErrors(): (field: keyof DatasetForm) => string | null {
  const form = useProject((project) => project.dataset);
  const problems = preparationPlan.useAnswer((answer) => answer.value?.problems);
  const trainingProblem = trainingScan.useAnswer((answer) => answer.problem);
  const regularizationProblem = regularizationScan.useAnswer((answer) => answer.problem);
  const scans: Partial<Record<keyof DatasetForm, string | undefined>> = {
    imagesFolder: trainingProblem?.message,
    regularizationFolder: regularizationProblem?.message,
  };
  return (field) => {
    if (form[field] === '' || form[field] === null) return null;
    const problem = problems?.find((entry) => entry.field === field)?.problem;
    return problem?.message ?? scans[field] ?? null;
  };
}

export function DatasetFields() {
  const form = useProject((project) => project.dataset);
  const disabled = usePreparation((preparation) => preparation.kind !== 'idle');
  const errorOf = useFieldErrors();

  const text = (field: 'instancePrompt' | 'classPrompt') => ({
    label: datasetLabels[field],
    value: form[field],
    error: errorOf(field),
    disabled,
    spellCheck: false,
    'data-field': field,
    onChange: (event: { currentTarget: HTMLInputElement }) =>
      editDataset({ [field]: event.currentTarget.value }),
  });
  const path = (field: 'imagesFolder' | 'regularizationFolder' | 'destination') => ({
    name: field,
    label: datasetLabels[field],
    value: form[field],
    error: errorOf(field),
    disabled,
    onChange: (value: string) => editDataset({ [field]: value }),
  });
  const number = (field: 'repeats' | 'regularizationRepeats') => ({
    name: field,
    label: datasetLabels[field],
    value: form[field],
    error: errorOf(field),
    disabled,
    min: 1,
    onChange: (value: number | string | null) =>
      editDataset({ [field]: typeof value === 'number' ? value : null }),
  });

  return (
    <>
      <div className="field-pair">
        <TextInput placeholder="rihanna" {...text('instancePrompt')} />
        <TextInput placeholder="woman" {...text('classPrompt')} />
      </div>
      <div className="folder-fields">
        <PathField {...path('imagesFolder')} />
        <NumberField inline {...number('repeats')} />
      </div>
      <div className="folder-fields">
        <PathField placeholder="Optional" {...path('regularizationFolder')} />
        <NumberField inline {...number('regularizationRepeats')} />
      </div>
      <PathField {...path('destination')} />
    </>
  );
}
