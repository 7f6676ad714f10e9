import { fieldFates } from './gui-fields/fates';
import { otherModelFields } from './gui-fields/other-models';
import type { FieldValue } from './gui-fields/rows';
import { sdxlFields } from './gui-fields/sdxl';

/** kohya_ss's keys that our parameters do not have, by what is done about them. */

/**
 * Keys that change what is trained or kept, with the value at which they do nothing. Any other value is reported: the
 * run goes on without it.
 */
export const unsupportedKeys: Readonly<Record<string, FieldValue>> = {
  ...Object.fromEntries(
    sdxlFields
      .filter(([key]) => fieldFates[key]?.kind === 'told')
      .map(([key, , fresh]) => [key, fresh]),
  ),
  // Of earlier versions.
  stop_text_encoder_training_pct: 0,
};

/** Why a key of `unsupportedKeys` has no effect. */
export function reasonOf(key: string): string {
  const fate = fieldFates[key] ?? fieldFates['stop_text_encoder_training'];
  return fate?.kind === 'told' ? fate.why : '';
}

/** Keys that are about kohya_ss itself, about speed or memory, or about other models: left out without a word. */
export const irrelevantKeys: ReadonlySet<string> = new Set([
  ...Object.entries(fieldFates)
    .filter(([, { kind }]) => kind === 'needless')
    .map(([key]) => key),
  ...Object.keys(otherModelFields),
  // Of earlier versions, and what kohya_ss saves of its own dialog.
  ...['use_wandb', 'no_token_padding', 'save_as_bool'],
]);

/** The model that a key is the switch of, where that is not SDXL. */
export const otherModels: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(fieldFates).flatMap(([key, fate]) =>
    fate.kind === 'otherModel' ? [[key, fate.model]] : [],
  ),
);

/** Keys that are read without being parameters. */
export const readKeys: readonly string[] = Object.entries(fieldFates)
  .filter(([, { kind }]) => kind === 'read')
  .map(([key]) => key);
