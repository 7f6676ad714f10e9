import { captionConfigSchema } from '../../../shared/protocol';
import type { CaptionForm } from '../../../shared/settings';

export type CaptionField = keyof CaptionForm;

export const captionLabels = {
  image_dir: 'Image folder',
  model: 'Model',
  prefix: 'Prefix',
  postfix: 'Postfix',
  caption_extension: 'Caption file extension',
  use_beam_search: 'Use beam search',
  num_beams: 'Number of beams',
  top_p: 'Top p',
  max_length: 'Max length',
  min_length: 'Min length',
  batch_size: 'Batch size',
  existing: 'Existing captions',
  blip2_num_beams: 'Number of beams',
  blip2_min_new_tokens: 'Min new tokens',
  blip2_max_new_tokens: 'Max new tokens',
  blip2_length_penalty: 'Length penalty',
  blip2_repetition_penalty: 'Repeat penalty',
  blip2_temperature: 'Temperature',
  wd14_general_threshold: 'General threshold',
  wd14_character_threshold: 'Character threshold',
  wd14_separator: 'Separator',
  wd14_remove_underscore: 'Remove underscores',
  wd14_undesired_tags: 'Undesired tags',
  wd14_tag_replacement: 'Tag replacement',
  wd14_rating_tags: 'Rating tags',
  wd14_character_tags_first: 'Character tags first',
  wd14_character_tag_expand: 'Expand character tags',
} as const satisfies Record<CaptionField, string>;

type Issue = NonNullable<
  ReturnType<typeof captionConfigSchema.safeParse>['error']
>['issues'][number];

function sentence(label: string, issue: Issue): string {
  if (issue.code === 'too_small')
    return issue.origin === 'string'
      ? `${label} must not be empty.`
      : `${label} must be at least ${issue.minimum}.`;
  if (issue.code === 'too_big') return `${label} must be at most ${issue.maximum}.`;
  if (issue.code === 'invalid_format') return `${label} must begin with a dot, like .txt.`;
  if (issue.code === 'invalid_type' && issue.expected === 'int')
    return `${label} must be a whole number.`;
  return `${label} must be a number.`;
}

/** The message of each field that captioning cannot use as it is. */
export function captionProblems(form: CaptionForm): Partial<Record<CaptionField, string>> {
  const problems: Partial<Record<CaptionField, string>> = {};
  const parsed = captionConfigSchema.safeParse({ ...form, images: null, candidates: 0 });
  for (const issue of parsed.error?.issues ?? []) {
    const field = issue.path[0] as CaptionField;
    problems[field] ??= sentence(captionLabels[field], issue);
  }
  const { min_length, max_length } = form;
  if (min_length !== null && max_length !== null && min_length > max_length)
    problems.min_length ??= `Min length must not be above Max length (${max_length}).`;
  return problems;
}
