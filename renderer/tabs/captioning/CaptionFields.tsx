import { SegmentedControl, Switch, TextInput } from '@mantine/core';
import { useId } from 'react';
import { editCaptioning, useProject } from '../../app/project';
import { Section } from '../../components/bits';
import { NumberField } from '../../components/NumberField';
import { PathField } from '../../components/PathField';
import { captionLabels, captionProblems } from './checks';

type TextName = 'prefix' | 'postfix' | 'caption_extension';
type NumberName = 'num_beams' | 'top_p' | 'max_length' | 'min_length' | 'batch_size';

export function CaptionFields({ disabled }: { readonly disabled: boolean }) {
  const form = useProject((project) => project.captioning);
  const problems = captionProblems(form);
  const existingLabel = useId();

  const text = (field: TextName) => ({
    label: captionLabels[field],
    value: form[field],
    error: problems[field],
    disabled,
    'data-field': field,
    onChange: (event: { currentTarget: HTMLInputElement }) =>
      editCaptioning({ [field]: event.currentTarget.value }),
  });
  const number = (field: NumberName) => ({
    name: field,
    label: captionLabels[field],
    value: form[field],
    error: problems[field],
    min: 0,
    disabled,
    onChange: (value: number | string | null) =>
      editCaptioning({ [field]: typeof value === 'number' ? value : null }),
  });

  return (
    <>
      <Section title="Images">
        <PathField
          name="image_dir"
          label={captionLabels.image_dir}
          value={form.image_dir}
          disabled={disabled}
          onChange={(image_dir) => editCaptioning({ image_dir })}
        />
        <PathField
          name="model"
          label={captionLabels.model}
          placeholder="A BLIP model: its folder or Hugging Face name"
          value={form.model}
          error={problems.model}
          disabled={disabled}
          onChange={(model) => editCaptioning({ model })}
        />
      </Section>
      <Section title="Text">
        <div className="field-pair">
          <TextInput {...text('prefix')} />
          <TextInput {...text('postfix')} />
        </div>
        <TextInput {...text('caption_extension')} className="inline-field" />
        <div className="inline-field wide-control">
          <span id={existingLabel} className="field-label">
            {captionLabels.existing}
          </span>
          <SegmentedControl
            aria-labelledby={existingLabel}
            value={form.existing}
            disabled={disabled}
            onChange={(existing) => editCaptioning({ existing })}
            data={[
              { value: 'skip', label: 'Skip' },
              { value: 'overwrite', label: 'Overwrite' },
            ]}
          />
        </div>
      </Section>
      <Section title="BLIP">
        <Switch
          label={captionLabels.use_beam_search}
          checked={form.use_beam_search}
          disabled={disabled}
          onChange={(event) => editCaptioning({ use_beam_search: event.currentTarget.checked })}
        />
        <div className="field-pair">
          <NumberField
            {...number('num_beams')}
            min={1}
            disabled={disabled || !form.use_beam_search}
          />
          <NumberField
            {...number('top_p')}
            max={1}
            step={0.05}
            disabled={disabled || form.use_beam_search}
          />
        </div>
        <div className="field-pair">
          <NumberField {...number('min_length')} />
          <NumberField {...number('max_length')} />
        </div>
        <NumberField {...number('batch_size')} inline />
      </Section>
    </>
  );
}
