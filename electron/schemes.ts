import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { protocol } from 'electron';
import { contentSecurityPolicy } from './security/csp';
import { APP_SCHEME, MEDIA_SCHEME } from './security/origin';
import { fileOfAppUrl, nameOfMediaUrl, type MediaName } from './security/served-files';
import type { LargeViews } from './services/large-views';
import type { Samples } from './services/samples';

/** Takes the place of the nonce in the page's `style-nonce` meta element. */
const NONCE_PLACEHOLDER = '__STYLE_NONCE__';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/** Must run before the app is ready. */
export function registerSchemes(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
    { scheme: MEDIA_SCHEME, privileges: { standard: true, secure: true } },
  ]);
}

export interface SchemeSources {
  /** The folder of the built renderer. */
  readonly renderer: string;
  /** A thumbnail's bytes; null when there is none. */
  readonly thumbnail: (id: string) => Promise<Buffer | null>;
  readonly samples: Samples;
  readonly largeViews: LargeViews;
}

export function serveSchemes({ renderer, ...media }: SchemeSources): void {
  protocol.handle(APP_SCHEME, async ({ url }) => {
    const path = await fileOfAppUrl(renderer, url);
    if (path === null) return refusal(403);
    const content = await readFile(path).catch(() => null);
    return content === null ? refusal(404) : page(content, extname(path));
  });
  protocol.handle(MEDIA_SCHEME, async ({ url }) => {
    const name = nameOfMediaUrl(url);
    return name === null ? refusal(403) : picture(name, media);
  });
}

async function picture(name: MediaName, media: Omit<SchemeSources, 'renderer'>): Promise<Response> {
  const found = await find(name, media);
  if (found === null) return refusal(404);
  // A thumbnail's id changes when its picture changes; a sample never does.
  const headers = { 'Cache-Control': 'max-age=31536000, immutable' };
  return respond(found.content, found.type, headers);
}

async function find(
  name: MediaName,
  { thumbnail, samples, largeViews }: Omit<SchemeSources, 'renderer'>,
): Promise<{ readonly content: Buffer; readonly type: string } | null> {
  switch (name.kind) {
    case 'thumbnail': {
      const content = await thumbnail(name.id);
      return content && { content, type: 'image/webp' };
    }
    case 'edited':
    case 'uncropped': {
      const content = await largeViews.find(name.kind, name.id);
      return content && { content, type: 'image/webp' };
    }
    case 'sample':
      return samples.whole(name.jobId, name.seq);
    case 'small-sample':
      return samples.small(name.jobId, name.seq);
  }
}

function page(content: Buffer, extension: string): Response {
  const type = contentTypes[extension] ?? 'application/octet-stream';
  const nonce = randomBytes(16).toString('base64');
  const body =
    extension === '.html'
      ? Buffer.from(content.toString('utf8').replaceAll(NONCE_PLACEHOLDER, nonce))
      : content;
  return respond(body, type, { 'Content-Security-Policy': contentSecurityPolicy(nonce) });
}

const respond = (body: Buffer, type: string, headers: Record<string, string>): Response =>
  new Response(new Uint8Array(body), {
    headers: { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff', ...headers },
  });

const refusal = (status: 403 | 404): Response => new Response(null, { status });
