/** Where the window's own pages come from. Nothing else is ever loaded. */
export const APP_SCHEME = 'app';
export const MEDIA_SCHEME = 'media';
const APP_ORIGIN = `${APP_SCHEME}://atelier`;
export const START_PAGE = `${APP_ORIGIN}/index.html`;

/** Compared by parts: `app://atelier.example/` begins with the origin and is not of it. */
export function isAppUrl(url: string): boolean {
  try {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}` === APP_ORIGIN;
  } catch {
    return false;
  }
}
