import {
  ActionIcon,
  Autocomplete,
  Combobox,
  Select,
  Switch,
  TextInput,
  Textarea,
  Tooltip,
} from '@mantine/core';
import { IconArrowBackUp, IconInfoCircle } from '@tabler/icons-react';
import { memo } from 'react';
import { parameters, type Parameter, type ParameterKey } from '../../../shared/parameters';
import type { DraftValue } from '../../../shared/settings';
import { editParameter } from '../../app/project';
import { NumberField } from '../../components/NumberField';
import { PathField } from '../../components/PathField';
import { matching } from './matching';

interface ParameterFieldProps {
  readonly name: ParameterKey;
  readonly value: DraftValue;
  readonly error: string | null;
  /** Under a folder or model field: what it turned out to be. */
  readonly remark?: string | null;
}

const spoken = (value: DraftValue): string => {
  if (value === null || value === '') return 'empty';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value);
};

function Help({ parameter }: { readonly parameter: Parameter }) {
  return (
    <Tooltip label={parameter.help}>
      <button type="button" className="help-button" aria-label={`About: ${parameter.help}`}>
        <IconInfoCircle size={15} aria-hidden />
      </button>
    </Tooltip>
  );
}

function Reset({ name }: { readonly name: ParameterKey }) {
  const label = `Changed. Back to ${spoken(parameters[name].default)}`;
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        size="xs"
        aria-label={label}
        onClick={() => editParameter(name, parameters[name].default)}
      >
        <IconArrowBackUp size={14} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}

/** The table says a field's help; the screen reader hears it with the field, everybody else asks the mark for it. */
function Control({ name, value, error, remark }: ParameterFieldProps) {
  const parameter: Parameter = parameters[name];
  const { label } = parameter;
  const describedBy = `help-${name}`;
  const change = (next: DraftValue) => editParameter(name, next);
  const text = typeof value === 'string' ? value : String(value ?? '');
  const common = { label: null, 'aria-label': label, 'aria-describedby': describedBy } as const;

  switch (parameter.kind) {
    case 'integer':
    case 'decimal':
    case 'optionalDecimal':
      return (
        <NumberField
          name={name}
          label={label}
          labelNode={null}
          value={typeof value === 'boolean' ? null : value}
          onChange={(next) => change(parameter.kind === 'optionalDecimal' ? next : (next ?? ''))}
          step={
            'step' in parameter ? parameter.step : parameter.kind === 'integer' ? 1 : tenth(value)
          }
          min={parameter.min}
          max={parameter.max}
          unit={'unit' in parameter ? parameter.unit : undefined}
          placeholder={emptyMeans[name] ?? ''}
          error={error}
          describedBy={describedBy}
        />
      );
    case 'toggle':
      return (
        <Switch
          {...common}
          data-field={name}
          className="parameter-switch"
          checked={value === true}
          onChange={(event) => change(event.currentTarget.checked)}
        />
      );
    case 'choice':
      return (
        <Select
          {...common}
          data-field={name}
          data={[...parameter.options]}
          value={text}
          error={error}
          allowDeselect={false}
          onChange={(next) => next !== null && change(next)}
        />
      );
    case 'openChoice':
      return (
        <Autocomplete
          {...common}
          data-field={name}
          data={[...parameter.options]}
          filter={matching}
          value={text}
          error={error}
          spellCheck={false}
          rightSection={<Combobox.Chevron />}
          rightSectionPointerEvents="none"
          onChange={change}
        />
      );
    case 'folder':
    case 'file':
    case 'model':
      return (
        <PathField
          name={name}
          label={label}
          labelNode={null}
          {...chosenAs(parameter)}
          value={text}
          onChange={change}
          error={error}
          describedBy={describedBy}
          description={remark}
        />
      );
    case 'text':
      return (
        <TextInput
          {...common}
          data-field={name}
          value={text}
          error={error}
          spellCheck={false}
          onChange={(event) => change(event.currentTarget.value)}
        />
      );
    case 'lines':
      return (
        <Textarea
          {...common}
          data-field={name}
          value={text}
          error={error}
          autosize
          minRows={3}
          maxRows={12}
          placeholder={examples[name] ?? ''}
          onChange={(event) => change(event.currentTarget.value)}
        />
      );
  }
}

/** What counts while a number is not set. */
const emptyMeans: Partial<Record<ParameterKey, string>> = {
  unet_lr: 'Same as Learning rate',
  text_encoder2_lr: 'Same as Text Encoder',
};

/** What may be chosen for a field that holds a path. */
function chosenAs(parameter: Extract<Parameter, { kind: 'folder' | 'file' | 'model' }>) {
  if (parameter.kind === 'model')
    return {
      extensions: ['safetensors'],
      placeholder: 'A .safetensors file, a folder, or a Hugging Face name',
    };
  if (parameter.kind === 'folder') return { placeholder: 'Type, browse or drop a folder' };
  const kinds = parameter.extensions.map((extension) => `.${extension}`).join(' or ');
  return { extensions: parameter.extensions, placeholder: `Type, browse or drop a ${kinds} file` };
}

/** What a field of several lines may look like, shown while it is empty. */
const examples: Partial<Record<ParameterKey, string>> = {
  sample_prompts: 'nova woman on a blue background --w 1024 --h 1024 --d 1',
};

/** Arrow keys move a decimal by a tenth of its leading digit's place: 0.0003 by 0.0001, 16 by 1. */
function tenth(value: DraftValue): number {
  if (typeof value !== 'number' || value <= 0) return 1;
  return 10 ** Math.min(Math.floor(Math.log10(value)), 0);
}

export const ParameterField = memo(function ParameterField(props: ParameterFieldProps) {
  const { name, value } = props;
  const parameter: Parameter = parameters[name];
  const changed = value !== parameter.default;
  return (
    <div className="parameter" data-kind={parameter.kind} data-changed={changed || undefined}>
      <div className="parameter-label">
        <span aria-hidden>{parameter.label}</span>
        <Help parameter={parameter} />
        {changed && <Reset name={name} />}
      </div>
      <Control {...props} />
      <span id={`help-${name}`} hidden>
        {parameter.help}
      </span>
    </div>
  );
});
