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
  /** What a file's name may end in, without a dot. A folder is meant where there are none. */
  readonly extensions?: readonly string[];
  readonly description?: ReactNode;
  readonly placeholder?: string;
  readonly error?: string | null | undefined;
  readonly disabled?: boolean;
  readonly describedBy?: string | undefined;
}

/** A folder or file: typed, chosen in the system's dialog, or dropped on the field. */
export function PathField(props: PathFieldProps) {
  const { name, label, value, onChange, extensions = null, disabled = false } = props;
  const { over, handlers } = useDropTarget(([path]) => {
    if (path === undefined) return;
    if (extensions === null) takeFolder(path, onChange);
    else onChange(path);
  });

  const browse = () =>
    attempt(async () => {
      const request = { title: label, startIn: value };
      const { path } = await call(
        'dialog:choose',
        extensions === null
          ? { kind: 'folder', ...request }
          : { kind: 'file', ...request, extensions: [...extensions] },
      );
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
