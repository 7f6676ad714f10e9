import { parameters, type ParameterKey } from '../parameters';
import { joined, kohyaKeyOf } from './convert';
import type { Change, Raw } from './legacy';
import { takeNetworkArguments } from './network-module';
import { keyOfOption, trainerFates, type Fate } from './trainer-options';

/** kohya_ss's Additional parameters: options of sd-scripts as they are written on a command line. */

export interface AdditionalParameters {
  /** By kohya_ss's keys, over the values of the fields. */
  readonly raw: Raw;
  /** Options that have no effect, and why. */
  readonly unsupported: readonly Change[];
}

interface Option {
  readonly name: string;
  readonly values: readonly string[];
}

/** Options that `modernise` reads by themselves. */
const ownMeaning: ReadonlySet<string> = new Set([
  'text_encoder_lr',
  'lr_warmup_steps',
  'fp8_base',
  'fp8_base_unet',
  'network_train_unet_only',
  'network_train_text_encoder_only',
  'max_train_epochs',
]);

export function additionalParameters(text: string): AdditionalParameters {
  const raw: Record<string, unknown> = {};
  const unsupported: Change[] = [];
  for (const option of optionsOf(wordsOf(text))) {
    if (option.name === 'network_args') Object.assign(raw, networkArguments(option, unsupported));
    else apply(option, raw, unsupported);
  }
  return { raw, unsupported };
}

function apply(option: Option, raw: Record<string, unknown>, unsupported: Change[]): void {
  const { name, values } = option;
  if (ownMeaning.has(name)) {
    raw[name] = values.length === 0 ? true : values.join(' ');
    return;
  }
  const key = keyOfOption(name);
  const fate = trainerFates[name];
  if (key !== null) raw[kohyaKeyOf(key)] = valueOf(key, values);
  else if (fate?.kind !== 'replaced') unsupported.push([name, reasonOf(name, fate)]);
}

function reasonOf(name: string, fate: Fate | undefined): string {
  const option = `--${name} among the additional parameters has no effect`;
  if (fate?.kind === 'refused') return `${option}: ${fate.why}`;
  return fate === undefined ? `${option}: sd-scripts has no such option.` : `${option} yet.`;
}

const valueOf = (key: ParameterKey, values: readonly string[]): unknown =>
  parameters[key].kind === 'toggle' ? true : joined(key, values);

/** `--network_args conv_dim=4 …`, by kohya_ss's keys. */
function networkArguments({ values }: Option, unsupported: Change[]): Raw {
  const { algo: _, ...raw } = takeNetworkArguments(values, unsupported);
  return Object.fromEntries(
    Object.entries(raw).map(([key, value]) => [kohyaKeyOf(key as ParameterKey), value]),
  );
}

/** Words as a shell divides them: quotes hold together what has blanks in it. */
function wordsOf(text: string): string[] {
  const found = text.matchAll(/(?:"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'])+/gu);
  return [...found].map(([word]) => word.replaceAll(/\\(["\\])|["']/gu, '$1'));
}

/** `--name`, `--name value …` and `--name=value`; what stands before the first option is left out. */
function optionsOf(words: readonly string[]): Option[] {
  const options: { name: string; values: string[] }[] = [];
  for (const word of words) {
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/su.exec(word) ?? [];
    if (name === undefined) options.at(-1)?.values.push(word);
    else options.push({ name, values: value === undefined ? [] : [value] });
  }
  return options;
}
