import {
  parameterKeys,
  parameters,
  parameterSections,
  type ParameterGroup,
  type ParameterKey,
} from '../../../shared/parameters';

/** The parameters as the tab shows them: by group, and within a long group by section. */

export interface Section {
  readonly title: string;
  readonly keys: readonly ParameterKey[];
}

export interface Group {
  readonly name: ParameterGroup;
  /** Those that are in no section. */
  readonly keys: readonly ParameterKey[];
  readonly sections: readonly Section[];
}

const names: readonly ParameterGroup[] = [
  'Model',
  'Folders',
  'Basic',
  'Advanced',
  'Samples',
  'Metadata',
];

export const groups: readonly Group[] = names.map((name) => {
  const keys = parameterKeys.filter((key) => parameters[key].group === name);
  return {
    name,
    keys: keys.filter((key) => !parameterSections.some((section) => section.keys.has(key))),
    sections: parameterSections
      .map(({ title, keys: inSection }) => ({
        title,
        keys: keys.filter((key) => inSection.has(key)),
      }))
      .filter((section) => section.keys.length > 0),
  };
});

export const allKeys = ({ keys, sections }: Group): readonly ParameterKey[] => [
  ...keys,
  ...sections.flatMap((section) => section.keys),
];
