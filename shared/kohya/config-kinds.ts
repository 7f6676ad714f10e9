/** The files that a config is kept in: kohya_ss's JSON and sd-scripts' TOML. */
export const configKinds = ['json', 'toml'] as const;
export type ConfigKind = (typeof configKinds)[number];
