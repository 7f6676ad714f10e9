import { SegmentedControl, Switch, TextInput } from '@mantine/core';
import { useId } from 'react';
import type { CaptionForm } from '../../../shared/settings';
import { editCaptioning, useProject } from '../../app/project';
import { Section } from '../../components/bits';
import { NumberField } from '../../components/NumberField';
import { captionerNames, useCaptionerKind } from './captioner';
import { captionLabels, captionProblems } from './checks';

type FieldOf<T> = {
  [K in keyof CaptionForm]: CaptionForm[K] extends T ? K : never;
}[keyof CaptionForm];

interface Disabled {
  readonly disabled: boolean;
}

interface NumberProps extends Disabled {
  readonly field: Exclude<FieldOf<number | null>, FieldOf<string>>;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly inline?: boolean;
}

function Amount({ field, min = 0, ...rest }: NumberProps) {
  const form = useProject((project) => project.captioning);
  return (
    <NumberField
      {...rest}
      name={field}
      label={captionLabels[field]}
      value={form[field]}
      error={captionProblems(form)[field]}
      min={min}
      onChange={(value) => editCaptioning({ [field]: typeof value === 'number' ? value : null })}
    />
  );
}

function Toggle({ field, disabled }: Disabled & { readonly field: FieldOf<boolean> }) {
  const checked = useProject((project) => project.captioning[field]);
  return (
    <Switch
      label={captionLabels[field]}
      checked={checked}
      disabled={disabled}
      onChange={(event) => editCaptioning({ [field]: event.currentTarget.checked })}
    />
  );
}

type TextField = 'wd14_separator' | 'wd14_undesired_tags' | 'wd14_tag_replacement';

function Words(props: Disabled & { readonly field: TextField; readonly placeholder?: string }) {
  const { field } = props;
  const form = useProject((project) => project.captioning);
  return (
    <TextInput
      label={captionLabels[field]}
      data-field={field}
      value={form[field]}
      error={captionProblems(form)[field]}
      disabled={props.disabled}
      placeholder={props.placeholder}
      onChange={(event) => editCaptioning({ [field]: event.currentTarget.value })}
    />
  );
}

function BlipOptions({ disabled }: Disabled) {
  const beams = useProject((project) => project.captioning.use_beam_search);
  return (
    <>
      <Toggle field="use_beam_search" disabled={disabled} />
      <div className="field-pair">
        <Amount field="num_beams" min={1} disabled={disabled || !beams} />
        <Amount field="top_p" max={1} step={0.05} disabled={disabled || beams} />
      </div>
      <div className="field-pair">
        <Amount field="min_length" disabled={disabled} />
        <Amount field="max_length" disabled={disabled} />
      </div>
    </>
  );
}

function Blip2Options({ disabled }: Disabled) {
  const beams = useProject((project) => project.captioning.use_beam_search);
  return (
    <>
      <Toggle field="use_beam_search" disabled={disabled} />
      <div className="field-pair">
        <Amount field="blip2_num_beams" min={1} max={16} disabled={disabled || !beams} />
        <Amount
          field="blip2_length_penalty"
          min={-1}
          max={2}
          step={0.1}
          disabled={disabled || !beams}
        />
      </div>
      <div className="field-pair">
        <Amount field="top_p" max={1} step={0.05} disabled={disabled || beams} />
        <Amount
          field="blip2_temperature"
          min={0.5}
          max={1}
          step={0.05}
          disabled={disabled || beams}
        />
      </div>
      <div className="field-pair">
        <Amount field="blip2_min_new_tokens" disabled={disabled} />
        <Amount field="blip2_max_new_tokens" min={1} disabled={disabled} />
      </div>
      <Amount
        field="blip2_repetition_penalty"
        min={1}
        max={5}
        step={0.1}
        disabled={disabled}
        inline
      />
    </>
  );
}

const ratingPlaces = [
  { value: 'none', label: 'None' },
  { value: 'first', label: 'First' },
  { value: 'last', label: 'Last' },
] as const;

function Wd14Options({ disabled }: Disabled) {
  const rating = useProject((project) => project.captioning.wd14_rating_tags);
  const ratingLabel = useId();
  return (
    <>
      <div className="field-pair">
        <Amount field="wd14_general_threshold" max={1} step={0.05} disabled={disabled} />
        <Amount field="wd14_character_threshold" max={1} step={0.05} disabled={disabled} />
      </div>
      <Words field="wd14_undesired_tags" placeholder="1girl, solo" disabled={disabled} />
      <Words field="wd14_tag_replacement" placeholder="tag,other;tag,other" disabled={disabled} />
      <Words field="wd14_separator" disabled={disabled} />
      <div className="inline-field wide-control">
        <span id={ratingLabel} className="field-label">
          {captionLabels.wd14_rating_tags}
        </span>
        <SegmentedControl
          aria-labelledby={ratingLabel}
          value={rating}
          disabled={disabled}
          onChange={(wd14_rating_tags) => editCaptioning({ wd14_rating_tags })}
          data={[...ratingPlaces]}
        />
      </div>
      <Toggle field="wd14_remove_underscore" disabled={disabled} />
      <Toggle field="wd14_character_tags_first" disabled={disabled} />
      <Toggle field="wd14_character_tag_expand" disabled={disabled} />
    </>
  );
}

/** Only what the chosen kind of model has. */
export function CaptionerOptions({ disabled }: Disabled) {
  const model = useProject((project) => project.captioning.model);
  const kind = useCaptionerKind(model);
  return (
    <Section title={kind === null ? 'Speed' : captionerNames[kind]}>
      {kind === 'blip' && <BlipOptions disabled={disabled} />}
      {kind === 'blip-2' && <Blip2Options disabled={disabled} />}
      {kind === 'git' && <Amount field="max_length" disabled={disabled} inline />}
      {kind === 'wd14' && <Wd14Options disabled={disabled} />}
      <Amount field="batch_size" min={1} disabled={disabled} inline />
    </Section>
  );
}
