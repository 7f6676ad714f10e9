import { ActionIcon, Autocomplete, Group, Text, Tooltip } from '@mantine/core';
import { IconFileSearch, IconFolderOpen } from '@tabler/icons-react';
import { call } from '../../api';
import { attempt } from '../../app/notify';
import { useApp } from '../../app/store';
import { useDropTarget } from '../../components/Drop';
import { baseName } from '../../format';
import { matching } from './matching';
import { modelsBeside } from './store';

interface ModelFieldProps {
  readonly name: string;
  readonly label: string;
  /** Names of Hugging Face that are offered. */
  readonly suggestions: readonly string[];
  readonly value: string;
  readonly onChange: (model: string) => void;
  readonly error: string | null;
  readonly describedBy: string;
  readonly remark: string;
}

const isLocal = (model: string): boolean => /^(?:[\\/~]|[A-Za-z]:)/u.test(model);

/** What is offered, each once: the models used lately, those beside the last one, and those that can be fetched. */
function useOffers(suggestions: readonly string[]) {
  const recent = useApp((app) => app.recentModels);
  const beside = modelsBeside.useAnswer((answer) => answer.value?.paths) ?? [];
  const offered = new Set<string>();
  const group = (title: string, models: readonly string[]) => {
    const items = models.filter((model) => !offered.has(model));
    for (const model of items) offered.add(model);
    return { group: title, items };
  };
  return [
    group('Used lately', recent),
    group('In the same folder', beside),
    group('Fetched from Hugging Face', suggestions),
  ].filter(({ items }) => items.length > 0);
}

function Browse({ name, label, value, onChange }: ModelFieldProps) {
  const choose = (kind: 'file' | 'folder') =>
    attempt(async () => {
      const request = { title: label, startIn: isLocal(value) ? value : '' };
      const { path } = await call(
        'dialog:choose',
        kind === 'folder'
          ? { kind, ...request }
          : { kind, ...request, extensions: ['safetensors'] },
      );
      if (path !== null) onChange(path);
    });
  return (
    <Group gap={2} wrap="nowrap">
      <Tooltip label="Browse for a .safetensors file">
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label="Browse for a file"
          data-testid={`browse-${name}`}
          onClick={() => choose('file')}
        >
          <IconFileSearch size={18} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Browse for a diffusers folder">
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label="Browse for a folder"
          onClick={() => choose('folder')}
        >
          <IconFolderOpen size={18} aria-hidden />
        </ActionIcon>
      </Tooltip>
    </Group>
  );
}

function Offer({ model }: { readonly model: string }) {
  if (!isLocal(model)) return <span>{model}</span>;
  return (
    <div className="model-offer">
      <span>{baseName(model)}</span>
      <Text size="xs" c="dimmed" truncate>
        {model}
      </Text>
    </div>
  );
}

/** A base model: a file or a folder, typed, browsed for, dropped or used before, or a name of Hugging Face. */
export function ModelField(props: ModelFieldProps) {
  const { name, label, suggestions, value, onChange, error, describedBy, remark } = props;
  const { over, handlers } = useDropTarget(([path]) => path !== undefined && onChange(path));
  const recent = useApp((app) => app.recentModels);
  const offers = useOffers(suggestions);
  const askBeside = () => {
    const path = [value, ...recent].find(isLocal);
    if (path !== undefined) modelsBeside.ask({ path });
  };
  return (
    <div className="path-field" data-over={over || undefined} {...handlers}>
      <Autocomplete
        aria-label={label}
        aria-describedby={describedBy}
        data-field={name}
        data={offers}
        filter={matching}
        placeholder="A .safetensors file, a folder, or a Hugging Face name"
        description={remark}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        value={value}
        error={error}
        spellCheck={false}
        title={value}
        maxDropdownHeight={320}
        onFocus={askBeside}
        onChange={onChange}
        renderOption={({ option }) => <Offer model={option.value} />}
        rightSectionWidth={68}
        rightSection={<Browse {...props} />}
      />
    </div>
  );
}
