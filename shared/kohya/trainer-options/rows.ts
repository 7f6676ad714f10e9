import type { ParameterKey } from '../../parameters';

/** What the trainer makes of one option of sd-scripts. */
export type Fate =
  /** The same under our parameters, which the test in `python-bridge/tests` holds to it. */
  | { readonly kind: 'done'; readonly by: readonly ParameterKey[]; readonly test: string }
  /** What it is for comes about in another way. */
  | { readonly kind: 'replaced'; readonly how: string }
  | { readonly kind: 'refused'; readonly why: string }
  /** Will come; until then a config that asks for it is told so. */
  | { readonly kind: 'notBuilt'; readonly what: string };

/** By the name that sd-scripts has for it. */
export type Options = Readonly<Record<string, Fate>>;

/** @param test `test_file.py::test_name` */
export const done = (test: string, ...by: readonly ParameterKey[]): Fate => ({
  kind: 'done',
  by,
  test,
});
export const replaced = (how: string): Fate => ({ kind: 'replaced', how });
export const refused = (why: string): Fate => ({ kind: 'refused', why });
export const notBuilt = (what: string): Fate => ({ kind: 'notBuilt', what });

/** The same for several options. */
export const each = (names: string, fate: Fate): Options =>
  Object.fromEntries(names.split(' ').map((name) => [name, fate]));
