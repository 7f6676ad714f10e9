import { ActionIcon, Autocomplete, Tooltip } from '@mantine/core';
import { IconFolderOpen } from '@tabler/icons-react';
import { useEffect } from 'react';
import { usualCaptioners } from '../../../shared/settings';
import { call } from '../../api';
import { attempt } from '../../app/notify';
import { editCaptioning, useProject } from '../../app/project';
import { takeFolder, useDropTarget } from '../../components/Drop';
import { captionerIdentity, captionerNames, useCaptionerKind } from './captioner';
import { captionLabels } from './checks';

const label = captionLabels.model;
const take = (model: string) => editCaptioning({ model });

function Browse({ model, disabled }: { readonly model: string; readonly disabled: boolean }) {
  const browse = () =>
    attempt(async () => {
      const startIn = model in usualCaptioners ? '' : model;
      const { path } = await call('dialog:choose', { kind: 'folder', title: label, startIn });
      if (path !== null) take(path);
    });
  return (
    <Tooltip label="Browse for a folder">
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label="Browse for the model"
        data-testid="browse-model"
        disabled={disabled}
        onClick={browse}
      >
        <IconFolderOpen size={18} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}

interface CaptionerModelProps {
  readonly disabled: boolean;
  readonly error: string | undefined;
}

/** A caption model: a usual name of Hugging Face, or a folder. Below it stands what kind it is. */
export function CaptionerModel({ disabled, error }: CaptionerModelProps) {
  const model = useProject((project) => project.captioning.model);
  const kind = useCaptionerKind(model);
  const problem = captionerIdentity.useAnswer((answer) => answer.value?.problem ?? null);
  const { over, handlers } = useDropTarget(([path]) => {
    if (path !== undefined) takeFolder(path, take);
  });
  useEffect(() => captionerIdentity.ask(model === '' ? null : { path: model }), [model]);
  const remark = kind === null ? 'What it is shows once it is fetched.' : captionerNames[kind];
  return (
    <div className="path-field" data-over={over || undefined} {...handlers}>
      <Autocomplete
        label={label}
        data-field="model"
        data={Object.keys(usualCaptioners)}
        filter={({ options }) => options}
        placeholder="A folder or a Hugging Face name"
        description={problem === null ? remark : undefined}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        value={model}
        error={error ?? problem?.message}
        disabled={disabled}
        spellCheck={false}
        title={model}
        maxDropdownHeight={320}
        onChange={take}
        rightSection={<Browse model={model} disabled={disabled} />}
      />
    </div>
  );
}
