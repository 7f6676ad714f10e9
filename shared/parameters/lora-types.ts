/** The kinds of adapters, and which of them have what in common: their fields appear for these types alone. */

export const loraTypes = [
  'Standard',
  'Kohya LoCon',
  'LoRA-FA',
  'Kohya DyLoRA',
  'Kohya LoHa',
  'Kohya LoKr',
  'LyCORIS/LoCon',
  'LyCORIS/LoHa',
  'LyCORIS/LoKr',
  'LyCORIS/iA3',
  'LyCORIS/GLoRA',
  'LyCORIS/BOFT',
  'LyCORIS/Diag-OFT',
  'LyCORIS/DyLoRA',
  'LyCORIS/Native Fine-Tuning',
] as const;
export type LoraType = (typeof loraTypes)[number];

const all = (...types: readonly LoraType[]): readonly LoraType[] => types;
const allBut = (...types: readonly LoraType[]): readonly LoraType[] =>
  loraTypes.filter((type) => !types.includes(type));

export const lycorisTypes: readonly LoraType[] = loraTypes.filter((type) =>
  type.startsWith('LyCORIS/'),
);
/** All that have a rank. */
export const rankedTypes = allBut('LyCORIS/iA3', 'LyCORIS/Native Fine-Tuning');
/** Those whose blocks can be given rates and ranks of their own. */
export const blockTypes = all('Standard', 'Kohya LoCon', 'LoRA-FA');
export const convolutionTypes: readonly LoraType[] = rankedTypes.filter(
  (type) => type !== 'Standard' && type !== 'LoRA-FA',
);
export const blockConvolutionTypes = all('Kohya LoCon');
/** Those that have an up matrix, which can learn faster. */
export const loraPlusTypes = all(...blockTypes, 'Kohya DyLoRA', 'LyCORIS/LoCon', 'LyCORIS/DyLoRA');
/** Those that add a product to the weight. */
export const normScaledTypes = allBut(
  'LyCORIS/iA3',
  'LyCORIS/BOFT',
  'LyCORIS/Diag-OFT',
  'LyCORIS/Native Fine-Tuning',
);
export const lokrTypes = all('Kohya LoKr', 'LyCORIS/LoKr');
export const tuckerTypes = all('Kohya LoHa', ...lokrTypes, 'LyCORIS/LoCon', 'LyCORIS/LoHa');
export const decomposedTypes = all('LyCORIS/LoCon', 'LyCORIS/LoHa', 'LyCORIS/LoKr');
export const rotationTypes = all('LyCORIS/BOFT', 'LyCORIS/Diag-OFT');
export const dyloraTypes = all('Kohya DyLoRA', 'LyCORIS/DyLoRA');
export const ia3Types = all('LyCORIS/iA3');
