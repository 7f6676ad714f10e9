import { parameterKeys, parameters, type ParameterKey } from '../parameters';
import { isEmpty, isOn, joined } from './convert';
import { sdxlFields } from './gui-fields/sdxl';
import type { Change, Raw } from './legacy';
import { loraTypeOf, takeNetworkArguments } from './network-module';
import type { ImportNote } from './notes';
import { irrelevantKeys, otherModels, readKeys, unsupportedKeys } from './other-keys';
import { trainerDefault } from './trainer-defaults';
import { keyOfOption, trainerFates } from './trainer-options';

/** Options of sd-scripts by our keys: those that are given, over what sd-scripts does without them. */

export interface OptionsRead {
  readonly raw: Raw;
  /** The parameters that options say. */
  readonly given: ReadonlySet<ParameterKey>;
}

type Take = (options: Raw, changes: Change[], unsupported: Change[]) => Raw;

/** Options that are read together with others, or that mean something else than the parameter of their name. */
const together: ReadonlySet<string> = new Set([
  'network_module',
  'network_args',
  'network_train_unet_only',
  'network_train_text_encoder_only',
  'unet_lr',
  'text_encoder_lr',
  'max_train_epochs',
  'max_train_steps',
  'lr_warmup_steps',
  'fp8_base',
  'fp8_base_unet',
]);

export function readOptions(options: Raw, notes: ImportNote[]): OptionsRead {
  const changes: Change[] = [];
  const unsupported: Change[] = [];
  const said: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (together.has(name) || isEmpty(value)) continue;
    const key = name === 'logging_dir' ? name : keyOfOption(name);
    if (key !== null) said[key] = Array.isArray(value) ? joined(key, value) : value;
    else if (!isSilent(name, value)) notes.push(noteOf(name));
  }
  const takes: readonly Take[] = [network, rates, length, others, seed];
  for (const take of takes) Object.assign(said, take(options, changes, unsupported));
  for (const [key, message] of changes) notes.push({ kind: 'changed', key, message });
  for (const [key, message] of unsupported) notes.push({ kind: 'unsupported', key, message });
  const given = new Set(parameterKeys.filter((key) => key in said));
  const missing = parameterKeys.filter((key) => !given.has(key));
  return {
    raw: { ...Object.fromEntries(missing.map((key) => [key, trainerDefault(key)])), ...said },
    given,
  };
}

/** Asks for nothing: off, as a fresh start has it, or of no matter here. */
function isSilent(name: string, value: unknown): boolean {
  if (value === false || trainerFates[name]?.kind === 'replaced') return true;
  if (name in unsupportedKeys && value === unsupportedKeys[name]) return true;
  if (irrelevantKeys.has(name) || readKeys.includes(name) || name in otherModels) return true;
  return sdxlFields.some(([key, , fresh]) => key === name && value === fresh);
}

function noteOf(name: string): ImportNote {
  const fate = trainerFates[name];
  if (fate?.kind === 'refused')
    return { kind: 'unsupported', key: name, message: `${name} has no effect: ${fate.why}` };
  if (fate?.kind === 'notBuilt')
    return { kind: 'unsupported', key: name, message: `${name} has no effect yet: ${fate.what}` };
  if (name in parameters)
    return { kind: 'unsupported', key: name, message: `${name} is no option of sd-scripts.` };
  return { kind: 'unknown', key: name, message: `${name} is not known and has no effect.` };
}

const listOf = (value: unknown): readonly unknown[] => (isEmpty(value) ? [] : [value].flat());

const network: Take = (options, changes, unsupported) => {
  const given = options['network_module'];
  const module = typeof given === 'string' ? given : 'networks.lora';
  const values = listOf(options['network_args']).map(String);
  const { algo, ...raw } = takeNetworkArguments(values, unsupported);
  const type = loraTypeOf(module, { ...raw, algo });
  if (type !== null) return { ...raw, ...('network_module' in options && { lora_type: type }) };
  const name = typeof algo === 'string' ? `${module} with algo=${algo}` : module;
  changes.push(['network_module', `network_module ${name} is not supported: Standard is used.`]);
  return { ...raw, lora_type: 'Standard' };
};

/** Without a rate of its own a part learns at `learning_rate`, unless the other is trained alone. */
const rates: Take = (options, changes) => {
  const [first, second] = listOf(options['text_encoder_lr']);
  const isUnetAlone = isOn(options['network_train_unet_only']);
  const rate = options['learning_rate'] ?? trainerDefault('learning_rate');
  const unet = isOn(options['network_train_text_encoder_only']) ? 0 : options['unet_lr'];
  const encoders = isUnetAlone ? 0 : (first ?? rate);
  const hasSecond = !isUnetAlone && second !== undefined && Number(second) !== Number(first);
  if (hasSecond)
    changes.push([
      'text_encoder_lr',
      `text_encoder_lr is ${JSON.stringify([first, second])}: the second text encoder is trained with ${JSON.stringify(second)}, where sd-scripts gives it the rate of the first.`,
    ]);
  return {
    ...(unet !== undefined && { unet_lr: unet }),
    text_encoder_lr: encoders,
    ...(hasSecond && { text_encoder2_lr: second }),
  };
};

/** Max train epochs win over Max train steps. */
const length: Take = (options) => {
  const epochs = options['max_train_epochs'];
  if (!isEmpty(epochs)) return { epoch: epochs, max_train_steps: 0 };
  return isEmpty(options['max_train_steps']) ? {} : { max_train_steps: options['max_train_steps'] };
};

/** Read as kohya_ss's fields of the same names are. */
const others: Take = (options) =>
  Object.fromEntries(
    ['lr_warmup_steps', 'fp8_base', 'fp8_base_unet']
      .filter((name) => !isEmpty(options[name]))
      .map((name) => [name, options[name]]),
  );

const seed: Take = (options, changes) => {
  if (options['seed'] === 0)
    changes.push(['seed', 'seed is 0, which draws a new seed here: another one repeats a run.']);
  return {};
};
