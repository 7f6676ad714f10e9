import { choice, file, folder, integer } from './rows';
import { is } from './rules';

/** Where things are, and what to do with pictures that are broken. */
export const folderParameters = {
  train_data_dir: folder({
    label: 'Image folder (containing training images subfolders)',
    group: 'Folders',
    simple: true,
    appliesWhen: [is('dataset_config', '')],
    words: 'dataset images instance',
    help: 'The folder that holds the <repeats>_<instance> <class> folders, as Dataset Preparation makes them (img). A folder that holds pictures itself, or folders without a number, will do too: see Repeats of plain folders.',
    default: '',
  }),
  dataset_repeats: integer({
    label: 'Repeats of plain folders',
    group: 'Folders',
    appliesWhen: [is('dataset_config', '')],
    help: 'How often an epoch shows each picture of a folder whose name does not begin with a number of repeats.',
    default: 1,
    min: 1,
    max: 100000,
  }),
  reg_data_dir: folder({
    label: 'Regularisation directory',
    group: 'Folders',
    simple: true,
    appliesWhen: [is('dataset_config', '')],
    words: 'class images',
    help: 'Optional. Pictures of the class in general, which keep the model from turning every member of the class into your subject. They double the steps of an epoch.',
    default: '',
  }),
  dataset_config: file({
    label: 'Dataset config file (.toml, optional)',
    group: 'Folders',
    help: 'A dataset in sd-scripts’ TOML format. It replaces the image folder and the regularisation directory, and its values win over those given here.',
    default: '',
    extensions: ['toml'],
  }),
  conditioning_data_dir: folder({
    label: 'Mask folder',
    group: 'Folders',
    appliesWhen: [is('masked_loss', true)],
    help: 'Masks for masked loss: pictures with the names of the training pictures, white where the loss counts. Only used with Masked loss.',
    default: '',
  }),
  broken_images: choice({
    label: 'Broken pictures',
    group: 'Folders',
    help: 'What to do with pictures that cannot be read: skip trains without them, refuse does not start. They are named either way.',
    options: ['skip', 'refuse'],
    default: 'skip',
  }),
  output_dir: folder({
    label: 'Output directory for trained model',
    group: 'Folders',
    simple: true,
    help: 'Where the LoRA and its checkpoints are written. Choose the LoRA folder of the program you draw with, or the model folder that Dataset Preparation makes.',
    default: '',
    required: true,
  }),
  logging_dir: folder({
    label: 'Logging directory',
    group: 'Folders',
    simple: true,
    help: 'Where each run gets its own folder with its settings, events, samples, states and console output.',
    default: '',
    required: true,
  }),
} as const;
