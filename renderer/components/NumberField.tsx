import { TextInput } from '@mantine/core';
import { useState, type KeyboardEvent, type ReactNode } from 'react';
import { formatTyped, parseTyped, stepTyped } from './number-text';

export interface NumberFieldProps {
  readonly name: string;
  readonly label: string;
  readonly labelNode?: ReactNode;
  /** As a draft holds it: a number, null when empty, or text that is no number yet. */
  readonly value: number | string | null;
  readonly onChange: (value: number | string | null) => void;
  readonly step?: number;
  readonly min?: number;
  readonly max?: number;
  readonly unit?: string | undefined;
  readonly placeholder?: string;
  readonly error?: string | null | undefined;
  readonly disabled?: boolean;
  /** Label and number on one line. */
  readonly inline?: boolean;
  readonly describedBy?: string | undefined;
}

/** A number that may be typed in any way (`1e-4` too) and stepped with the arrow keys. What is typed is never altered. */
export function NumberField(props: NumberFieldProps) {
  const { name, label, value, onChange, step = 1, min, max } = props;
  const [text, setTyped] = useState<string | null>(null);
  // What was typed stays as it is, but not past a value that came from elsewhere: an undo, a preset.
  const typed = text !== null && parseTyped(text) === (value === '' ? null : value) ? text : null;

  const change = (next: string) => {
    setTyped(next);
    onChange(parseTyped(next));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
    event.preventDefault();
    const next = stepTyped(value, event.key === 'ArrowUp' ? step : -step, { min, max });
    setTyped(null);
    onChange(next);
  };

  return (
    <TextInput
      label={props.labelNode === undefined ? label : props.labelNode}
      aria-label={label}
      aria-describedby={props.describedBy}
      inputMode="decimal"
      className={props.inline === true ? 'number-field inline-field' : 'number-field'}
      data-field={name}
      value={typed ?? formatTyped(value)}
      placeholder={props.placeholder ?? ''}
      error={props.error}
      disabled={props.disabled ?? false}
      onChange={(event) => change(event.currentTarget.value)}
      onBlur={() => setTyped(null)}
      onKeyDown={onKeyDown}
      rightSection={props.unit && <span className="unit">{props.unit}</span>}
    />
  );
}
