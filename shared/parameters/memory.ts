import { choice, integer, toggle } from './rows';
import { is } from './rules';

/** Memory and speed. */
export const memoryParameters = {
  gradient_checkpointing: toggle({
    label: 'Gradient checkpointing',
    group: 'Advanced',
    simple: true,
    words: 'VRAM out of memory',
    help: 'Computes parts twice to need far less memory, at about 40 % more time. Leave it on below 24 GB.',
    default: true,
  }),
  checkpointing_method: choice({
    label: 'Checkpointing method',
    group: 'Advanced',
    appliesWhen: [is('gradient_checkpointing', true)],
    help: 'full needs the least memory. selective keeps the results that took longest to compute: faster, with more memory.',
    options: ['full', 'selective'],
    default: 'full',
  }),
  gradient_accumulation_steps: integer({
    label: 'Gradient accumulate steps',
    group: 'Advanced',
    words: 'VRAM',
    help: 'Adds up this many batches before each step: the effect of a larger batch without its memory, and as many fewer steps. 1 is usual.',
    default: 1,
    min: 1,
    max: 120,
  }),
  quantize_base_model: choice({
    label: 'Quantize base model',
    group: 'Advanced',
    words: 'VRAM out of memory 8-bit 4-bit',
    help: 'Stores the frozen U-Net in fewer bits: fp8 and int8 halve its memory, nf4 quarters it, at some cost in speed and exactness.',
    options: ['none', 'fp8', 'int8', 'nf4'],
    default: 'none',
  }),
  full_bf16: toggle({
    label: 'Full bf16 training (experimental)',
    group: 'Advanced',
    words: 'VRAM',
    help: 'Keeps the LoRA’s own weights in bf16 too, rounded at random so that small steps are not lost. Saves memory at high ranks.',
    default: false,
  }),
} as const;
