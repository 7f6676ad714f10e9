import { choice, integer, text, toggle } from './rows';
import { is } from './rules';

/** What is made of a picture before the model sees it. */
export const pictureParameters = {
  bucket_no_upscale: toggle({
    label: 'Don’t upscale bucket resolution',
    group: 'Advanced',
    appliesWhen: [is('enable_bucket', true)],
    help: 'Small pictures keep their size instead of being enlarged. Minimum and maximum bucket resolution are then not used, as in Kohya.',
    default: true,
  }),
  bucket_reso_steps: integer({
    label: 'Bucket resolution steps',
    group: 'Advanced',
    appliesWhen: [is('enable_bucket', true)],
    help: 'Sides of buckets are multiples of this. SDXL needs a multiple of 32.',
    default: 64,
    min: 32,
    max: 128,
    step: 32,
    unit: 'px',
  }),
  resize_interpolation: choice({
    label: 'Resize interpolation',
    group: 'Advanced',
    help: 'How pictures are made smaller or larger. auto takes area to shrink and Lanczos to enlarge, as Kohya does.',
    options: ['auto', 'lanczos', 'area', 'bicubic', 'bilinear', 'nearest', 'box', 'hamming'],
    default: 'auto',
  }),
  random_crop: toggle({
    label: 'Random crop instead of center crop',
    group: 'Advanced',
    help: 'Cuts pictures at a place of chance to the shape of their bucket, and tells the model where. They are then encoded anew each time.',
    default: false,
  }),
  face_crop_aug_range: text({
    label: 'Face crop range',
    group: 'Advanced',
    help: 'Smallest and largest enlargement around the face, such as 2.0,4.0. Needs pictures whose names end in the place of the face, as Kohya’s face cropper writes them. Empty is off.',
    default: '',
    pattern: /^(\s*\d+(\.\d+)?\s*,\s*\d+(\.\d+)?\s*)?$/u,
    patternHelp: 'Face crop range must be two numbers, such as 2.0,4.0.',
  }),
  flip_aug: toggle({
    label: 'Flip augmentation',
    group: 'Advanced',
    words: 'mirror horizontal',
    help: 'Shows half of the pictures mirrored. Not for faces and things that have a left and a right.',
    default: false,
  }),
  color_aug: toggle({
    label: 'Color augmentation',
    group: 'Advanced',
    help: 'Varies hue and brightness a little, where colour must not be learnt. Not for a person. Pictures are then encoded anew each time.',
    default: false,
  }),
  alpha_mask: toggle({
    label: 'Alpha mask',
    group: 'Advanced',
    help: 'Transparent parts of a picture do not count in the loss: cut the background out, and it is not learnt.',
    default: false,
  }),
  masked_loss: toggle({
    label: 'Masked loss',
    group: 'Advanced',
    words: 'mask',
    help: 'The loss counts only where the picture in the mask folder, or the transparency of the picture, says so.',
    default: false,
  }),
  vae_batch_size: integer({
    label: 'VAE batch size',
    group: 'Advanced',
    help: 'Pictures of one size that are encoded together. More is faster before the training and needs more memory. 0 is 1.',
    default: 0,
    min: 0,
    max: 32,
  }),
  kohya_exact: toggle({
    label: 'Repeat Kohya’s faults',
    group: 'Advanced',
    help: 'For results that equal Kohya’s: crop places as Kohya computes them, the same regularisation pictures in every epoch, and loss weights that do not know of Zero terminal SNR.',
    default: false,
  }),
} as const;
