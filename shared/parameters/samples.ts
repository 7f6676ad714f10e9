import { choice, integer, lines, toggle } from './rows';

/** Pictures drawn on the way. */
export const sampleParameters = {
  sample_every_n_steps: integer({
    label: 'Sample every n steps',
    group: 'Samples',
    help: 'Draw the sample prompts after every nth step. 0 is off. Not used while Sample every n epochs is set.',
    default: 0,
    min: 0,
    max: 10000000,
  }),
  sample_every_n_epochs: integer({
    label: 'Sample every n epochs',
    group: 'Samples',
    help: 'Draw the sample prompts after every nth epoch. 0 is off. As in Kohya it overrides Sample every n steps. The end of the training is always drawn.',
    default: 1,
    min: 0,
    max: 100000,
  }),
  sample_at_first: toggle({
    label: 'Sample at first',
    group: 'Samples',
    help: 'Draw the sample prompts before the first step too, so that you see what the training changes.',
    default: true,
  }),
  sample_sampler: choice({
    label: 'Sample sampler',
    group: 'Samples',
    help: 'How the pictures are drawn. DPM++ 2M Karras is what most people draw SDXL with. A prompt may name another with --ss.',
    options: [
      'dpm++_2m_karras',
      'ddim',
      'pndm',
      'lms',
      'euler',
      'euler_a',
      'heun',
      'dpm_2',
      'dpm_2_a',
      'dpmsolver',
      'dpmsolver++',
      'dpmsingle',
      'k_lms',
      'k_euler',
      'k_euler_a',
      'k_dpm_2',
      'k_dpm_2_a',
    ],
    default: 'dpm++_2m_karras',
    typeName: 'Sampler',
  }),
  sample_prompts: lines({
    label: 'Sample prompts',
    group: 'Samples',
    help: 'One prompt a line; none draws no samples. Lines that begin with # are left out. Kohya’s flags may follow: --n what should not be in the picture, --w width, --h height, --d seed, --s steps (30), --l CFG scale (7.5), --ss sampler. Without --w and --h a picture has the size of Max resolution; without --d each line keeps a seed of its own, so that its pictures can be compared.',
    default: '',
  }),
} as const;
