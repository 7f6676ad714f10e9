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
import { spoken } from '../../../shared/parameters/applies';
import { editParameter, resetParameters } from '../../app/project';
import { NumberField } from '../../components/NumberField';
import { PathField } from '../../components/PathField';
import { Marked } from './Marked';
import { matching } from './matching';
import { ModelField } from './ModelField';
import { marks, namesOf } from './search';

interface ParameterFieldProps {
  readonly name: ParameterKey;
  readonly value: DraftValue;
  readonly error: string | null;
  /** What the plan warns of. */
  readonly warning: string | null;
  /** Why it does not count now. */
  readonly unused: string | null;
  /** Under a folder or model field: what it turned out to be. */
  readonly remark: string;
  /** What is searched for: marked where it stands. */
  readonly words: readonly string[];
}

function Help({ name }: { readonly name: ParameterKey }) {
  const { help } = parameters[name];
  const label = (
    <>
      {help}
      <code className="help-key">{namesOf.get(name)?.join(', ')}</code>
    </>
  );
  return (
    <Tooltip label={label} events={{ hover: true, focus: true, touch: true }}>
      <button type="button" className="help-button" aria-label={`About: ${help}`}>
        <IconInfoCircle size={15} aria-hidden />
      </button>
    </Tooltip>
  );
}

function Reset({ name }: { readonly name: ParameterKey }) {
  const { label: what, default: value } = parameters[name];
  const label = `Changed. Back to ${spoken(value)}`;
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        size="xs"
        aria-label={label}
        onClick={() => resetParameters([name], what)}
      >
        <IconArrowBackUp size={14} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}

/** Where the search found it, where that is not in the label. */
function Found({
  name,
  words,
}: {
  readonly name: ParameterKey;
  readonly words: readonly string[];
}) {
  const names = namesOf.get(name)?.join(', ') ?? '';
  const { help } = parameters[name];
  const isIn = (text: string) => marks(text, words).some(({ hit }) => hit);
  return (
    <div className="found">
      {isIn(names) && (
        <code>
          <Marked text={names} words={words} />
        </code>
      )}
      {isIn(help) && (
        <p>
          <Marked text={help} words={words} />
        </p>
      )}
    </div>
  );
}

/** The table says a field's help; the screen reader hears it with the field, everybody else asks the mark for it. */
function Control({ name, value, error, remark }: Omit<ParameterFieldProps, 'words'>) {
  const parameter: Parameter = parameters[name];
  const { label } = parameter;
  const describedBy = `note-${name} help-${name}`;
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
    case 'model':
      return (
        <ModelField
          name={name}
          label={label}
          suggestions={parameter.suggestions}
          value={text}
          onChange={change}
          error={error}
          describedBy={describedBy}
          remark={remark}
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
function chosenAs(parameter: Extract<Parameter, { kind: 'folder' | 'file' }>) {
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
  const { name, value, warning, unused, words } = props;
  const parameter: Parameter = parameters[name];
  const changed = value !== parameter.default;
  return (
    <div
      className="parameter"
      data-kind={parameter.kind}
      data-changed={changed || undefined}
      data-unused={unused !== null || undefined}
    >
      <div className="parameter-label">
        <span aria-hidden>
          <Marked text={parameter.label} words={words} />
        </span>
        <Help name={name} />
        {changed && <Reset name={name} />}
      </div>
      <Control {...props} />
      <div id={`note-${name}`} className="parameter-notes">
        {unused !== null && <p>{unused}</p>}
        {warning !== null && <p className="attention wrap">{warning}</p>}
      </div>
      {words.length > 0 && <Found name={name} words={words} />}
      <span id={`help-${name}`} hidden>
        {parameter.help}
      </span>
    </div>
  );
});
