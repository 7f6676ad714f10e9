import { parameters, type Parameter, type ParameterKey } from '../parameters';
import { ProblemError } from '../result';

export interface Converted {
  readonly value: unknown;
  /** What was changed and why; null when the file's value was taken as it is. */
  readonly change: string | null;
}

type NumberParameter = Extract<Parameter, { min: number }>;
type ChoiceParameter = Extract<Parameter, { kind: 'choice' }>;
type OpenChoiceParameter = Extract<Parameter, { kind: 'openChoice' }>;

/** The name under which kohya_ss has a parameter. */
export function kohyaKeyOf(key: ParameterKey): string {
  const row = parameters[key];
  return 'kohyaKey' in row ? row.kohyaKey : key;
}

const taken = (value: unknown): Converted => ({ value, change: null });

/** A value of a kohya_ss file as the parameter wants it. @throws ProblemError `bad_value` for what cannot be meant */
export function convert(key: ParameterKey, raw: unknown): Converted {
  const row = parameters[key];
  switch (row.kind) {
    case 'integer':
    case 'decimal':
    case 'optionalDecimal':
      return convertNumber(key, row, raw);
    case 'toggle':
      return convertToggle(key, row.default, raw);
    case 'choice':
      return convertChoice(key, row, raw);
    case 'openChoice':
      return convertOpenChoice(key, row, raw);
    case 'text':
    case 'lines':
    case 'folder':
    case 'file':
    case 'model':
      return convertText(key, row.default, raw);
  }
}

/** Whether a value is one of kohya_ss's ways to write none. */
export const isEmpty = (raw: unknown): boolean =>
  raw === null || raw === undefined || (typeof raw === 'string' && raw.trim() === '');

/** Whether a value is one of the ways to say yes. */
export const isOn = (raw: unknown): boolean => raw === 1 || /^(true|1)$/iu.test(String(raw));

/** What is off where it is not set needs no word. */
const useDefault = (key: string, raw: unknown, fallback: string | number | boolean): Converted =>
  fallback === 0 || fallback === false
    ? taken(fallback)
    : {
        value: fallback,
        change: `${key} is ${JSON.stringify(raw)}: ${JSON.stringify(fallback)} is used.`,
      };

/** The problem of a value that cannot be meant. */
export const notA = (wanted: string, key: string, label: string, raw: unknown): ProblemError =>
  new ProblemError(
    'bad_value',
    `${label} (${key}) is ${JSON.stringify(raw)}: it must be ${wanted}.`,
    'Correct it in the file.',
  );

function convertNumber(key: ParameterKey, row: NumberParameter, raw: unknown): Converted {
  if (isEmpty(raw)) return row.default === null ? taken(null) : useDefault(key, raw, row.default);
  const number = typeof raw === 'boolean' ? NaN : Number(raw);
  if (!Number.isFinite(number)) throw notA('a number', key, row.label, raw);
  // Its meaning depends on the rank, so the whole file decides.
  if (key === 'network_alpha' && number === 0) return taken(0);
  const whole = row.kind === 'integer' ? Math.round(number) : number;
  const value = Math.min(row.max, Math.max(row.min, whole));
  if (value === number) return taken(value);
  const reason =
    value === whole
      ? 'it must be a whole number'
      : `it must be from ${String(row.min)} to ${String(row.max)}`;
  return { value, change: `${key} is ${String(number)}: ${reason}, so ${String(value)} is used.` };
}

function convertToggle(key: ParameterKey, fallback: boolean, raw: unknown): Converted {
  if (isOn(raw)) return taken(true);
  if (raw === 0 || /^(false|0)$/iu.test(String(raw))) return taken(false);
  if (isEmpty(raw)) return useDefault(key, raw, fallback);
  throw notA('true or false', key, parameters[key].label, raw);
}

function convertChoice(key: ParameterKey, row: ChoiceParameter, raw: unknown): Converted {
  if (isEmpty(raw)) return useDefault(key, raw, row.default);
  const text = typeof raw === 'string' ? raw.trim() : JSON.stringify(raw);
  const option = row.options.find((candidate) => isSameChoice(candidate, text));
  if (option !== undefined) return taken(option);
  return { value: row.default, change: `${key} ${text} is not supported: ${row.default} is used.` };
}

/** In any case; a number in any of the ways to write it. */
const isSameChoice = (option: string, text: string): boolean =>
  option.toLowerCase() === text.toLowerCase() || Number(option) === Number(text);

/** Known names are taken in any case, as sd-scripts does; any other is the bridge's to judge. */
function convertOpenChoice(key: ParameterKey, row: OpenChoiceParameter, raw: unknown): Converted {
  const { value, change } = convertText(key, row.default, raw);
  const text = String(value).toLowerCase();
  const option = row.options.find((candidate) => candidate.toLowerCase() === text);
  return { value: option ?? value, change };
}

/** Several values as the parameter has them in one text. */
export function joined(key: ParameterKey, values: readonly unknown[]): string {
  const byBlanks = key.endsWith('_args') || key === 'base_weights_multiplier';
  const separator = key === 'base_weights' ? '\n' : byBlanks ? ' ' : ',';
  return values.map(String).join(separator);
}

/** Blanks count in what stands between words, and around captions. */
const verbatim: ReadonlySet<ParameterKey> = new Set([
  'caption_separator',
  'keep_tokens_separator',
  'secondary_separator',
  'caption_prefix',
  'caption_suffix',
]);

/** What is no text is written as JSON has it. */
const written = (raw: unknown): string => {
  if (raw === null || raw === undefined) return '';
  return typeof raw === 'string' ? raw : JSON.stringify(raw);
};

function textOf(key: ParameterKey, raw: unknown): string {
  const text = Array.isArray(raw) ? joined(key, raw) : written(raw);
  return verbatim.has(key) ? text : text.trim();
}

function convertText(key: ParameterKey, fallback: string, raw: unknown): Converted {
  const text = textOf(key, raw);
  if (text === '') return fallback === '' ? taken('') : useDefault(key, raw, fallback);
  if (key === 'caption_extension' && !text.startsWith('.'))
    return { value: `.${text}`, change: `caption_extension is ${text}: .${text} is used.` };
  return taken(text);
}
