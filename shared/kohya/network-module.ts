import { parameters, type ParameterKey, type TrainConfig } from '../parameters';
import type { LoraType } from '../parameters/lora-types';
import type { Change, Raw } from './legacy';
import { trainerFates } from './trainer-options';

/** sd-scripts' words for a LoRA type: a network module, and the arguments that it is given. */

const modules: Readonly<Partial<Record<LoraType, string>>> = {
  Standard: 'networks.lora',
  'Kohya LoCon': 'networks.lora',
  'LoRA-FA': 'networks.lora_fa',
  'Kohya DyLoRA': 'networks.dylora',
  'Kohya LoHa': 'networks.loha',
  'Kohya LoKr': 'networks.lokr',
};

/** `algo` of `lycoris.kohya`. */
const algorithms: Readonly<Partial<Record<LoraType, string>>> = {
  'LyCORIS/LoCon': 'locon',
  'LyCORIS/LoHa': 'loha',
  'LyCORIS/LoKr': 'lokr',
  'LyCORIS/iA3': 'ia3',
  'LyCORIS/GLoRA': 'glora',
  'LyCORIS/BOFT': 'boft',
  'LyCORIS/Diag-OFT': 'diag-oft',
  'LyCORIS/DyLoRA': 'dylora',
  'LyCORIS/Native Fine-Tuning': 'full',
};

export const moduleOf = (type: LoraType): string => modules[type] ?? 'lycoris.kohya';

/**
 * The LoRA type that a module stands for; null where it is none of ours.
 *
 * @param args what the module is given, with `algo` and by our keys
 */
export function loraTypeOf(module: string, args: Raw): LoraType | null {
  if (module === 'networks.lora') return 'conv_dim' in args ? 'Kohya LoCon' : 'Standard';
  const isLycoris = module === 'lycoris.kohya';
  const given = args['algo'];
  const algorithm = typeof given === 'string' ? given.toLowerCase() : 'lora';
  // LyCORIS's first name for it.
  const name = algorithm === 'lora' ? 'locon' : algorithm;
  const found = Object.entries(isLycoris ? algorithms : modules).find(
    ([, value]) => value === (isLycoris ? name : module),
  );
  return (found?.[0] as LoraType | undefined) ?? null;
}

/** Arguments whose names are not those of their fields. */
const names: Readonly<Record<string, ParameterKey>> = {
  preset: 'lycoris_preset',
  constraint: 'constrain',
  block_size: 'unit',
};

const argumentKeys: readonly ParameterKey[] =
  trainerFates['network_args']?.kind === 'done' ? trainerFates['network_args'].by : [];

/** `key=value` of all that the type of a config knows and that is not as it is without being said. */
export function networkArgumentsOf(config: TrainConfig): string[] {
  const type = config.lora_type;
  const algorithm = algorithms[type];
  return [
    ...(algorithm === undefined ? [] : [`algo=${algorithm}`]),
    ...argumentKeys
      .filter((key) => isKnownTo(type, key) && isSaid(config, key))
      .map((key) => `${nameOf(key, type)}=${written(config[key])}`),
  ];
}

function isKnownTo(type: LoraType, key: ParameterKey): boolean {
  const row = parameters[key];
  return !('shownFor' in row) || row.shownFor.includes(type);
}

/** LyCORIS takes blocks of another size where none is given; the rank of convolutions tells LoCon from Standard. */
const isSaid = (config: TrainConfig, key: ParameterKey): boolean =>
  config[key] !== parameters[key].default ||
  key === 'unit' ||
  (key === 'conv_dim' && config.lora_type === 'Kohya LoCon');

function nameOf(key: ParameterKey, type: LoraType): string {
  if (key === 'unit' && !(type in algorithms)) return key;
  return Object.entries(names).find(([, ours]) => ours === key)?.[0] ?? key;
}

function written(value: unknown): string {
  if (typeof value !== 'boolean') return String(value);
  return value ? 'True' : 'False';
}

/**
 * What arguments of a module say, by our keys, with `algo` as it is. What is not known is added to `unsupported`.
 */
export function takeNetworkArguments(values: readonly string[], unsupported: Change[]): Raw {
  const raw: Record<string, unknown> = {};
  for (const value of values) {
    const [name = '', ...rest] = value.split('=');
    const key = names[name] ?? name;
    if (key === 'algo' || argumentKeys.some((known) => known === key)) raw[key] = rest.join('=');
    else
      unsupported.push([name, `${value} among the network_args has no effect: it is not known.`]);
  }
  return raw;
}
