import { decimal, integer } from './rows';
import { is, isAbove } from './rules';

/** Pictures that are kept back to see how the LoRA does on what it has not learnt. */
export const validationParameters = {
  validation_split: decimal({
    label: 'Validation split',
    group: 'Advanced',
    help: 'Share of the training pictures that is kept back for a validation loss, 0 to 1. Not worth it with ten pictures.',
    default: 0,
    min: 0,
    max: 0.9,
  }),
  validation_seed: integer({
    label: 'Validation seed',
    group: 'Advanced',
    appliesWhen: [isAbove('validation_split', 0)],
    help: 'Decides which pictures are kept back, and their noise. 0 is a seed like any other.',
    default: 0,
    min: 0,
    max: 4294967295,
  }),
  validate_every_n_steps: integer({
    label: 'Validate every n steps',
    group: 'Advanced',
    appliesWhen: [isAbove('validation_split', 0)],
    help: 'Compute the validation loss after every nth step instead of after epochs. 0 leaves it to the epochs.',
    default: 0,
    min: 0,
    max: 10000000,
  }),
  validate_every_n_epochs: integer({
    label: 'Validate every n epochs',
    group: 'Advanced',
    appliesWhen: [isAbove('validation_split', 0), is('validate_every_n_steps', 0)],
    help: 'Compute the validation loss after every nth epoch. Not used while Validate every n steps is set.',
    default: 1,
    min: 1,
    max: 100000,
  }),
  max_validation_steps: integer({
    label: 'Max validation steps',
    group: 'Advanced',
    appliesWhen: [isAbove('validation_split', 0)],
    help: 'At most so many batches for one validation loss. 0 takes all.',
    default: 0,
    min: 0,
    max: 100000,
  }),
} as const;
