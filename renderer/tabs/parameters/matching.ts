import type { ComboboxParsedItem, OptionsFilter } from '@mantine/core';

/** While one of the names stands in the field all are offered; what is typed narrows them down. */
export const matching: OptionsFilter = ({ options, search }) => {
  const typed = search.trim().toLowerCase();
  const named = options.flatMap((option) => ('group' in option ? option.items : [option]));
  if (named.some(({ label }) => label.toLowerCase() === typed)) return options;
  const matches = ({ label }: { readonly label: string }) => label.toLowerCase().includes(typed);
  return options.flatMap<ComboboxParsedItem>((option) => {
    if (!('group' in option)) return matches(option) ? [option] : [];
    const items = option.items.filter(matches);
    return items.length > 0 ? [{ ...option, items }] : [];
  });
};
