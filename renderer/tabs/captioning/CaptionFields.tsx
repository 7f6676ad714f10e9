import { SegmentedControl, TextInput } from '@mantine/core';
import { useId } from 'react';
import { editCaptioning, useProject } from '../../app/project';
import { Section } from '../../components/bits';
import { PathField } from '../../components/PathField';
import { CaptionerModel } from './CaptionerModel';
import { CaptionerOptions } from './CaptionerOptions';
import { captionLabels, captionProblems } from './checks';

type TextName = 'prefix' | 'postfix' | 'caption_extension';

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
        <CaptionerModel disabled={disabled} error={problems.model} />
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
              { value: 'append', label: 'Append' },
              { value: 'overwrite', label: 'Overwrite' },
            ]}
          />
        </div>
      </Section>
      <CaptionerOptions disabled={disabled} />
    </>
  );
}
