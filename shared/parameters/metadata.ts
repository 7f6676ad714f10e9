import { file, text, toggle } from './rows';

/** What the LoRA file says of itself beside how it was made. */
export const metadataParameters = {
  metadata_title: text({
    label: 'Metadata title',
    group: 'Metadata',
    help: 'Title of the LoRA. Empty takes the file’s name.',
    default: '',
  }),
  metadata_author: text({
    label: 'Metadata author',
    group: 'Metadata',
    help: 'Who made it. Kept in the file, where programs can show it.',
    default: '',
  }),
  metadata_description: text({
    label: 'Metadata description',
    group: 'Metadata',
    help: 'What it is for. Kept in the file, where programs can show it.',
    default: '',
  }),
  metadata_license: text({
    label: 'Metadata license',
    group: 'Metadata',
    help: 'What others may do with it, such as the name of a licence.',
    default: '',
  }),
  metadata_tags: text({
    label: 'Metadata tags',
    group: 'Metadata',
    help: 'Words to find it by, with commas between them.',
    default: '',
  }),
  metadata_trigger_phrase: text({
    label: 'Metadata trigger phrase',
    group: 'Metadata',
    help: 'What to write in a prompt to make it act.',
    default: '',
  }),
  metadata_usage_hint: text({
    label: 'Metadata usage hint',
    group: 'Metadata',
    help: 'How to use it, for example at which strength.',
    default: '',
  }),
  metadata_thumbnail: file({
    label: 'Metadata thumbnail',
    group: 'Metadata',
    help: 'A picture that is kept, made small, inside the file.',
    default: '',
    extensions: ['png', 'jpg', 'jpeg', 'webp'],
  }),
  metadata_merged_from: text({
    label: 'Metadata merged from',
    group: 'Metadata',
    help: 'Names of the models that went into it, with commas.',
    default: '',
  }),
  metadata_preprocessor: text({
    label: 'Metadata preprocessor',
    group: 'Metadata',
    help: 'What prepared the pictures, such as the name of a program. Rarely needed.',
    default: '',
  }),
  no_metadata: toggle({
    label: 'No metadata',
    group: 'Metadata',
    help: 'Say in the file only what loaders need, and nothing of the training.',
    default: false,
  }),
} as const;
