import { ActionIcon, TextInput, Tooltip } from '@mantine/core';
import { IconFolderOpen } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { call } from '../api';
import { attempt } from '../app/notify';
import { takeFolder, useDropTarget } from './Drop';

export interface PathFieldProps {
  /** Names the field in tests: the button is `browse-<name>`. */
  readonly name: string;
  readonly label: string;
  readonly labelNode?: ReactNode;
  readonly value: string;
  readonly onChange: (path: string) => void;
  readonly kind?: 'folder' | 'checkpoint';
  readonly description?: ReactNode;
  readonly placeholder?: string;
  readonly error?: string | null | undefined;
  readonly disabled?: boolean;
  readonly describedBy?: string | undefined;
}

/** A folder or model: typed, chosen in the system's dialog, or dropped on the field. */
export function PathField(props: PathFieldProps) {
  const { name, label, value, onChange, kind = 'folder', disabled = false } = props;
  const { over, handlers } = useDropTarget((path) => {
    if (kind === 'folder') takeFolder(path, onChange);
    else onChange(path);
  });

  const browse = () =>
    attempt(async () => {
      const { path } = await call('dialog:choose', { kind, title: label, startIn: value });
      if (path !== null) onChange(path);
    });

  return (
    <div className="path-field" data-over={over || undefined} {...handlers}>
      <TextInput
        label={props.labelNode === undefined ? label : props.labelNode}
        aria-label={label}
        aria-describedby={props.describedBy}
        description={props.description}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        placeholder={props.placeholder ?? 'Type, browse or drop a folder'}
        value={value}
        error={props.error}
        disabled={disabled}
        spellCheck={false}
        title={value}
        data-field={name}
        onChange={(event) => onChange(event.currentTarget.value)}
        rightSection={
          <Tooltip label="Browse">
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label="Browse"
              data-testid={`browse-${name}`}
              disabled={disabled}
              onClick={browse}
            >
              <IconFolderOpen size={18} aria-hidden />
            </ActionIcon>
          </Tooltip>
        }
      />
    </div>
  );
}
