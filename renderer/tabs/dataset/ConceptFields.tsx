import { ActionIcon, Button, Menu, TextInput, Tooltip } from '@mantine/core';
import { IconFolder, IconPhoto, IconPlus, IconX } from '@tabler/icons-react';
import {
  datasetLabels,
  hasSources,
  type ConceptForm,
  type DatasetField,
} from '../../../shared/dataset-form';
import { joinPrompts, makeFolderName, mendPrompt } from '../../../shared/kohya/folder-name';
import { useProject } from '../../app/project';
import { NumberField } from '../../components/NumberField';
import { PathField } from '../../components/PathField';
import { PathText } from '../../components/bits';
import { baseName, formatQuantity } from '../../format';
import { chooseImages, editConcept } from './concepts';
import { filePlaces } from './places';
import { preparationPlan, usePreparation } from './store';

const order: ('label' | 'input' | 'description' | 'error')[] = [
  'label',
  'input',
  'description',
  'error',
];

/** What is wrong with a field that was filled in. Empty fields are listed beside the button instead, not in red. */
export function useFieldErrors(concept: number | null) {
  const problems = preparationPlan.useAnswer((answer) => answer.value?.problems);
  return (field: DatasetField, value: unknown): string | null => {
    if (value === '' || value === null) return null;
    const found = problems?.find((entry) => entry.field === field && entry.concept === concept);
    return found?.problem.message ?? null;
  };
}

/** What the folder is called where a prompt cannot be kept as it was typed. */
function mending(concept: ConceptForm, field: 'instancePrompt' | 'classPrompt'): string | null {
  const { prompt, reasons } = mendPrompt(concept[field]);
  if (prompt === '' || reasons.length === 0) return null;
  const name = makeFolderName({
    repeats: concept.repeats ?? 1,
    prompt: joinPrompts(concept.instancePrompt, concept.classPrompt),
  });
  return `The folder will be called “${name}”: its name ${reasons.join(' and ')}.`;
}

function MoreSources({ index }: { readonly index: number }) {
  const concept = useProject((project) => project.dataset.concepts[index]);
  const disabled = usePreparation((preparation) => preparation.kind !== 'idle');
  if (concept === undefined || !hasSources(concept)) return null;
  const rows = [
    ...concept.folders.slice(1).map((folder, offset) => ({
      key: folder,
      text: <PathText path={folder} />,
      name: folder,
      remove: { folders: concept.folders.filter((_, other) => other !== offset + 1) },
      Icon: IconFolder,
    })),
    ...filePlaces(concept.files).map(({ folder, files }) => ({
      key: `files of ${folder}`,
      text: `${formatQuantity(files.length, 'picture')} of ${baseName(folder)}`,
      name: folder,
      remove: { files: concept.files.filter((file) => !files.includes(file)) },
      Icon: IconPhoto,
    })),
  ];
  return (
    <>
      {rows.length > 0 && (
        <ul className="sources" aria-label="More images">
          {rows.map(({ key, text, name, remove, Icon }) => (
            <li key={key} title={name}>
              <Icon size={16} aria-hidden />
              <span className="source-name">{text}</span>
              <Tooltip label="Take out of this concept">
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  size="sm"
                  aria-label={`Take out ${baseName(name)}`}
                  disabled={disabled}
                  onClick={() => editConcept(index, remove)}
                >
                  <IconX size={14} aria-hidden />
                </ActionIcon>
              </Tooltip>
            </li>
          ))}
        </ul>
      )}
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            className="more-images"
            variant="subtle"
            size="compact-sm"
            aria-label="More images"
            leftSection={<IconPlus size={14} aria-hidden />}
            disabled={disabled}
          >
            More
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => chooseImages(index, 'folders')}>Another folder…</Menu.Item>
          <Menu.Item onClick={() => chooseImages(index, 'pictures')}>Single pictures…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

/** The fields of one concept. */
export function ConceptFields({ index }: { readonly index: number }) {
  const concept = useProject((project) => project.dataset.concepts[index]);
  const disabled = usePreparation((preparation) => preparation.kind !== 'idle');
  const errorOf = useFieldErrors(index);
  if (concept === undefined) return null;
  const edit = (change: Partial<ConceptForm>) => editConcept(index, change);

  const text = (field: 'instancePrompt' | 'classPrompt') => ({
    label: datasetLabels[field],
    value: concept[field],
    error: errorOf(field, concept[field]),
    description: mending(concept, field),
    disabled,
    spellCheck: false,
    'data-field': field,
    onChange: (event: { currentTarget: HTMLInputElement }) =>
      edit({ [field]: event.currentTarget.value }),
  });
  const number = (field: 'repeats' | 'regularizationRepeats') => ({
    name: field,
    label: datasetLabels[field],
    value: concept[field],
    error: errorOf(field, concept[field]),
    disabled,
    min: 1,
    onChange: (value: number | string | null) =>
      edit({ [field]: typeof value === 'number' ? value : null }),
  });
  const [first = '', ...others] = concept.folders;

  return (
    <>
      <div className="field-pair">
        <TextInput placeholder="rihanna" {...text('instancePrompt')} inputWrapperOrder={order} />
        <TextInput placeholder="woman" {...text('classPrompt')} inputWrapperOrder={order} />
      </div>
      <div className="folder-fields">
        <PathField
          name="imagesFolder"
          label={datasetLabels.folders}
          value={first}
          error={errorOf('folders', hasSources(concept) ? 'chosen' : '')}
          disabled={disabled}
          onChange={(value) =>
            edit({ folders: value === '' && others.length === 0 ? [] : [value, ...others] })
          }
        />
        <MoreSources index={index} />
        <NumberField inline {...number('repeats')} />
      </div>
      <div className="folder-fields">
        <PathField
          placeholder="Optional"
          name="regularizationFolder"
          label={datasetLabels.regularizationFolder}
          value={concept.regularizationFolder}
          error={errorOf('regularizationFolder', concept.regularizationFolder)}
          disabled={disabled}
          onChange={(value) => edit({ regularizationFolder: value })}
        />
        <NumberField inline {...number('regularizationRepeats')} />
      </div>
    </>
  );
}
