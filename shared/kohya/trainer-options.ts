import type { ParameterKey } from '../parameters';
import { modelOptions, datasetOptions, networkOptions, sdxlOptions } from './trainer-options/data';
import { configOptions, logOptions, metadataOptions, saveOptions } from './trainer-options/output';
import type { Fate, Options } from './trainer-options/rows';
import { lossOptions, optimizerOptions, trainingOptions } from './trainer-options/training';

export type { Fate } from './trainer-options/rows';

/**
 * Every option of sd-scripts' parser for SDXL LoRAs (v0.10.1), and what becomes of it here. `docs/kohya-options.md` is
 * made from this.
 */
export const trainerOptions: readonly { readonly title: string; readonly options: Options }[] = [
  { title: 'Model', options: modelOptions },
  { title: 'Network', options: networkOptions },
  { title: 'Dataset', options: datasetOptions },
  { title: 'Training', options: trainingOptions },
  { title: 'Noise and loss', options: lossOptions },
  { title: 'Optimizer', options: optimizerOptions },
  { title: 'Save and resume', options: saveOptions },
  { title: 'Log, sample and validate', options: logOptions },
  { title: 'Metadata', options: metadataOptions },
  { title: 'SDXL', options: sdxlOptions },
  { title: 'Config file', options: configOptions },
];

/** What becomes of each option, by its name. */
export const trainerFates: Readonly<Record<string, Fate>> = Object.assign(
  {},
  ...trainerOptions.map(({ options }) => options),
) as Readonly<Record<string, Fate>>;

/** The parameter that an option is the first word for; null where there is none. */
export function keyOfOption(name: string): ParameterKey | null {
  // There it names a file.
  if (name === 'sample_prompts') return 'sample_prompts_file';
  const fate = trainerFates[name];
  return fate?.kind === 'done' ? (fate.by[0] ?? null) : null;
}

/** What sd-scripts asserts before it trains an SDXL LoRA, and what is done about it here. */
export const trainerAsserts: readonly {
  readonly claim: string;
  readonly here: string;
  readonly test: string;
}[] = [
  {
    claim: 'Not with v2.',
    here: 'A base model that is not SDXL is refused by what is in it.',
    test: 'test_train_model.py::test_single_files_are_told_apart',
  },
  {
    claim:
      'Text encoder outputs are cached only for the U-Net alone, without caption dropout, shuffling, token warm-up or tag dropout.',
    here: 'No assert: where captions change or the encoders are trained, they stay and read captions as they come, which the plan says.',
    test: 'test_caption_checks.py::test_what_a_person_should_know',
  },
  {
    claim: 'Latents are not cached with color_aug or random_crop.',
    here: 'No assert: such pictures are encoded anew each time, which the plan says.',
    test: 'test_views.py::test_views_are_cached_unless_chance_cuts_or_colours',
  },
  {
    claim: 'bucket_reso_steps is a multiple of 32.',
    here: 'The same, as `bad_bucket_reso_steps`.',
    test: 'test_plan.py::test_contradictions_name_the_field',
  },
  {
    claim: 'min_bucket_reso is at most, max_bucket_reso at least the resolution.',
    here: 'The same, as `bad_min_bucket_reso` and `bad_max_bucket_reso`, where they are used.',
    test: 'test_plan.py::test_contradictions_name_the_field',
  },
  {
    claim: 'full_fp16 needs fp16, full_bf16 needs bf16.',
    here: 'full_bf16 does, as `full_bf16_needs_bf16`; there is no full_fp16.',
    test: 'test_plan.py::test_contradictions_name_the_field',
  },
  {
    claim: 'fp8 needs mixed precision.',
    here: 'Not needed: quantised layers compute in fp32 too.',
    test: 'test_quantize.py::test_layers_compute_and_pass_gradients_as_with_the_opened_weight',
  },
  {
    claim: 'adaptive_noise_scale needs noise_offset.',
    here: 'The same, as `noise_offset_missing`.',
    test: 'test_objective_rules.py::test_contradictions_are_refused',
  },
  {
    claim: 'scale_v_pred_loss_like_noise_pred needs v_parameterization.',
    here: 'The same, as `not_v_prediction`.',
    test: 'test_objective_rules.py::test_contradictions_are_refused',
  },
  {
    claim: 'v_pred_like_loss forbids v_parameterization.',
    here: 'The same, as `not_noise_prediction`.',
    test: 'test_objective_rules.py::test_contradictions_are_refused',
  },
];

/** Where our results are not Kohya's, on purpose. */
export const differences: readonly {
  readonly what: string;
  readonly kohya: string;
  readonly here: string;
  readonly test: string;
}[] = [
  {
    what: 'Crop that SDXL is told',
    kohya: 'The letter box of the picture’s shape in its bucket.',
    here: 'What was really cut. kohya_exact: Kohya’s.',
    test: 'test_views.py::test_the_crop_is_the_true_one_or_kohyas',
  },
  {
    what: 'Regularisation pictures',
    kohya: 'The same ones in every epoch; the others are never shown.',
    here: 'They take turns from epoch to epoch. kohya_exact: Kohya’s.',
    test: 'test_regularization.py::test_the_next_epoch_goes_on_where_the_last_ended',
  },
  {
    what: 'Loss weights under zero terminal SNR',
    kohya: 'Made from the schedule before it was rescaled.',
    here: 'Made from the schedule that is trained. kohya_exact: Kohya’s.',
    test: 'test_objective.py::test_weights_know_the_schedule_that_is_trained_unless_kohyas_results_are_wanted',
  },
  {
    what: 'Photos that lie on their side (EXIF)',
    kohya: 'Trained lying.',
    here: 'Turned upright.',
    test: 'test_images.py::test_a_picture_is_turned_upright_once',
  },
  {
    what: 'Transparent pictures',
    kohya: 'The colours under the transparency are shown, whatever they are.',
    here: 'Laid on white.',
    test: 'test_images.py::test_transparency_of_every_kind_is_white_or_a_mask',
  },
  {
    what: 'Latents that are not a number',
    kohya: 'Cached latents are not checked.',
    here: 'Each is checked, and the picture is named.',
    test: 'test_latents_trouble.py::test_a_latent_that_is_not_finite_names_its_picture',
  },
  {
    what: 'Caches',
    kohya: 'Found by the picture’s name; an edited picture keeps its old latents.',
    here: 'Found by the content of picture, VAE and view. Kohya’s are used only where they verify.',
    test: 'test_latents.py::test_an_edited_picture_is_encoded_anew',
  },
  {
    what: 'A caption that is empty or not UTF-8',
    kohya: 'Ends the training.',
    here: 'The folder’s prompt stands in, and the picture is named.',
    test: 'test_plan.py::test_captions_that_cannot_be_used_fall_back_and_are_named',
  },
  {
    what: 'Zeros',
    kohya: 'The GUI drops them: a Max grad norm or Prior loss weight of 0 becomes 1.',
    here: 'Count as they are.',
    test: 'test_optim.py::test_a_limit_of_0_does_not_clip',
  },
  {
    what: 'Second text encoder',
    kohya: 'Gets the rate of the first, whatever is asked for.',
    here: 'Has a rate of its own.',
    test: 'test_optim.py::test_each_part_learns_at_its_own_rate',
  },
  {
    what: 'Full bf16 training',
    kohya: 'Rounds to the nearest, so that small steps are lost.',
    here: 'Rounds at random, right on average.',
    test: 'test_optim.py::test_rounding_is_right_on_average',
  },
  {
    what: 'Noise of each step',
    kohya: 'Depends on all that was drawn before.',
    here: 'Depends on seed and step alone.',
    test: 'test_objective.py::test_the_chance_of_a_step_depends_on_seed_and_step_alone',
  },
];
