/** The window shows one page and is never led away from it; a reload of that page is no navigation to elsewhere. */
export const mayNavigate = (from: string, to: string): boolean =>
  withoutFragment(from) === withoutFragment(to);

const withoutFragment = (url: string): string => url.split('#')[0] ?? url;

/** Links open no windows. */
export const windowOpenAnswer = { action: 'deny' } as const;
