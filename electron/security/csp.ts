interface Row {
  readonly directive: string;
  readonly sources: (nonce: string) => readonly string[];
  readonly reason: string;
}

const own = (): readonly string[] => ["'self'"];
const none = (): readonly string[] => ["'none'"];

const rows: readonly Row[] = [
  { directive: 'default-src', sources: none, reason: 'What is not named below is not needed.' },
  { directive: 'script-src', sources: own, reason: 'The bundle. Never inline, never eval.' },
  {
    directive: 'style-src',
    sources: (nonce) => ["'self'", `'nonce-${nonce}'`],
    reason: 'The bundle, and the style elements that Mantine makes with the nonce of this load.',
  },
  { directive: 'font-src', sources: own, reason: 'Fonts of the bundle.' },
  {
    directive: 'img-src',
    sources: () => ["'self'", 'media:', 'data:'],
    reason:
      'The bundle’s pictures, thumbnails and samples by id, and small pictures that the bundle holds as data.',
  },
  {
    directive: 'connect-src',
    sources: own,
    reason: 'The bundle’s own files; the machine is reached by IPC only.',
  },
  { directive: 'base-uri', sources: none, reason: 'Relative addresses must not be led elsewhere.' },
  { directive: 'form-action', sources: none, reason: 'No form is ever sent.' },
  { directive: 'frame-ancestors', sources: none, reason: 'The page is never framed.' },
];

export const contentSecurityPolicy = (nonce: string): string =>
  rows.map(({ directive, sources }) => [directive, ...sources(nonce)].join(' ')).join('; ');
