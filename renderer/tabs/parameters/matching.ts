import type { OptionsFilter } from '@mantine/core';

/** While one of the names stands in the field all are offered; what is typed narrows them down. */
export const matching: OptionsFilter = ({ options, search }) => {
  const typed = search.trim().toLowerCase();
  const named = options.flatMap((option) => ('label' in option ? [option] : []));
  if (named.some(({ label }) => label.toLowerCase() === typed)) return named;
  return named.filter(({ label }) => label.toLowerCase().includes(typed));
};
