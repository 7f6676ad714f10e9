import { done, each, notBuilt, refused, replaced, type Options } from './rows';

/** What comes of it: files, logs, samples. */

const times = 'test_saving.py::test_what_is_left_is_what_sd_scripts_leaves';
const stateNumbers = 'test_saving.py::test_states_have_numbers_of_their_own';
const states = 'test_resume.py::test_states_beside_saved_files_are_kept_by_their_number';
const onItsOwn = replaced('A run that is gone on with continues after the last step that it took.');
const uploading = notBuilt('Uploading to Hugging Face.');
const logging = replaced('TensorBoard’s files are in the folder of each run.');
const ownLog = replaced('Each run keeps all that is printed in its console.log.');
const described = 'test_metadata.py::test_what_a_person_writes_is_in_the_model_spec';

export const saveOptions: Options = {
  output_dir: done(
    'test_train_failures.py::test_the_output_folder_is_checked_before_the_model_is_loaded',
    'output_dir',
  ),
  output_name: done('test_train_failures.py::test_an_older_file_is_kept', 'output_name'),
  save_model_as: replaced('Always safetensors: a ckpt file can run code.'),
  save_precision: done('test_lora.py::test_a_file_holds_every_part', 'save_precision'),
  save_every_n_epochs: done(
    'test_train_run.py::test_a_training_from_folder_to_file',
    'save_every_n_epochs',
  ),
  save_every_n_steps: done(times, 'save_every_n_steps'),
  save_n_epoch_ratio: done(times, 'save_n_epoch_ratio'),
  save_last_n_epochs: done(times, 'save_last_n_epochs'),
  save_last_n_steps: done(times, 'save_last_n_steps'),
  save_last_n_epochs_state: done(stateNumbers, 'save_last_n_epochs_state'),
  save_last_n_steps_state: done(stateNumbers, 'save_last_n_steps_state'),
  save_state: done(states, 'save_state'),
  save_state_on_train_end: done(
    'test_resume.py::test_a_finished_run_is_extended_in_another_folder',
    'save_state_on_train_end',
  ),
  resume: done('test_resume.py::test_a_finished_run_is_extended_in_another_folder', 'resume'),
  ...each('initial_epoch initial_step skip_until_initial_step', onItsOwn),
  ...each(
    'huggingface_repo_id huggingface_repo_type huggingface_path_in_repo huggingface_token huggingface_repo_visibility save_state_to_huggingface resume_from_huggingface async_upload',
    uploading,
  ),
};

const drawn = 'test_sampling.py::test_samples_come_first_on_the_way_and_at_the_end';
const validated = 'test_validation_times.py::test_it_is_validated_when_asked_for_and_at_the_end';
const split = 'test_validation_split.py::';

export const logOptions: Options = {
  logging_dir: replaced('Each run has its own folder in Logging directory.'),
  log_with: done('test_tensorboard_log.py::test_numbers_have_kohyas_names', 'log_with'),
  ...each('log_prefix log_tracker_name log_tracker_config log_config', logging),
  ...each('wandb_run_name wandb_api_key', notBuilt('Sending to W&B.')),
  ...each('console_log_level console_log_file console_log_simple', ownLog),
  sample_every_n_steps: done(drawn, 'sample_every_n_steps'),
  sample_every_n_epochs: done(
    'test_sampling.py::test_epochs_overrule_steps',
    'sample_every_n_epochs',
  ),
  sample_at_first: done(drawn, 'sample_at_first'),
  sample_prompts: done(
    'test_sample_prompts_file.py::test_each_format_says_the_same',
    'sample_prompts',
    'sample_prompts_file',
  ),
  sample_sampler: done('test_sample_prompts.py::test_every_sampler_can_be_named', 'sample_sampler'),
  validation_split: done(
    `${split}test_a_share_is_kept_back_and_something_on_either_side`,
    'validation_split',
  ),
  validation_seed: done(`${split}test_the_seed_decides`, 'validation_seed'),
  validate_every_n_steps: done(validated, 'validate_every_n_steps'),
  validate_every_n_epochs: done(validated, 'validate_every_n_epochs'),
  max_validation_steps: done(
    'test_validation.py::test_at_most_so_many_batches',
    'max_validation_steps',
  ),
};

export const metadataOptions: Options = {
  metadata_title: done(described, 'metadata_title'),
  metadata_author: done(described, 'metadata_author'),
  metadata_description: done(described, 'metadata_description'),
  metadata_license: done(described, 'metadata_license'),
  metadata_tags: done(described, 'metadata_tags'),
  metadata_usage_hint: done(described, 'metadata_usage_hint'),
  metadata_thumbnail: done(described, 'metadata_thumbnail'),
  metadata_merged_from: done(described, 'metadata_merged_from'),
  metadata_trigger_phrase: done(described, 'metadata_trigger_phrase'),
  metadata_preprocessor: done(described, 'metadata_preprocessor'),
  metadata_is_negative_embedding: refused('A LoRA is none.'),
};

export const configOptions: Options = {
  config_file: replaced(
    'Open a configuration, among the Parameters, and the command line read and write such files.',
  ),
};
