import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contentSecurityPolicy } from '../../../electron/security/csp';
import { mayNavigate, windowOpenAnswer } from '../../../electron/security/navigation';
import { isAppUrl, START_PAGE } from '../../../electron/security/origin';
import { grantedPermissions, isGranted } from '../../../electron/security/permissions';
import { fileOfAppUrl, nameOfMediaUrl } from '../../../electron/security/served-files';
import { tempFolder } from '../../fakes/temp-folder';

describe('origin', () => {
  test.each([START_PAGE, 'app://atelier/', 'app://atelier/assets/x.js#y'])('%s is ours', (url) => {
    expect(isAppUrl(url)).toBe(true);
  });
  test.each([
    'app://atelier.example/index.html',
    'app://atelier@example/index.html',
    'app://atelier:80/index.html',
    'https://atelier/index.html',
    'file:///index.html',
    'about:blank',
    'data:text/html,x',
    '',
  ])('%s is not', (url) => {
    expect(isAppUrl(url)).toBe(false);
  });
});

test('the window stays on its page; a reload and an anchor are the same page', () => {
  expect(mayNavigate(START_PAGE, START_PAGE)).toBe(true);
  expect(mayNavigate(START_PAGE, `${START_PAGE}#training`)).toBe(true);
  for (const url of [
    'https://example.org/',
    'file:///photo.png',
    'app://atelier/other.html',
    'javascript:alert(1)',
  ])
    expect(mayNavigate(START_PAGE, url)).toBe(false);
  expect(windowOpenAnswer).toEqual({ action: 'deny' });
});

test('only what the table names is granted, each with its reason', () => {
  expect(grantedPermissions.map(({ permission }) => permission)).toEqual([
    'clipboard-sanitized-write',
  ]);
  expect(grantedPermissions.every(({ reason }) => reason.length > 10)).toBe(true);
  for (const permission of [
    'media',
    'geolocation',
    'notifications',
    'clipboard-read',
    'openExternal',
    'hid',
    '',
  ])
    expect(isGranted(permission)).toBe(false);
});

test('the content security policy, whole', () => {
  expect(contentSecurityPolicy('abc').split('; ')).toEqual([
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'nonce-abc'",
    "font-src 'self'",
    "img-src 'self' media: data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]);
});

describe('files served', () => {
  async function site() {
    const folder = await tempFolder();
    const root = join(folder, 'renderer');
    await mkdir(join(root, 'assets'), { recursive: true });
    await mkdir(join(folder, 'renderer-secrets'));
    await writeFile(join(root, 'index.html'), '');
    await writeFile(join(root, 'assets', 'a b.js'), '');
    await writeFile(join(folder, 'secret.txt'), '');
    await symlink(join(folder, 'secret.txt'), join(root, 'link.txt'));
    return root;
  }

  test('those in the folder', async () => {
    const root = await site();
    expect(await fileOfAppUrl(root, 'app://atelier/')).toBe(join(root, 'index.html'));
    expect(await fileOfAppUrl(root, START_PAGE)).toBe(join(root, 'index.html'));
    expect(await fileOfAppUrl(root, 'app://atelier/assets/a%20b.js?x=1')).toBe(
      join(root, 'assets', 'a b.js'),
    );
    expect(await fileOfAppUrl(root, 'app://atelier/missing.js')).toBe(join(root, 'missing.js'));
  });

  test.each([
    'app://atelier/%2e%2e/secret.txt',
    'app://atelier/..%2fsecret.txt',
    'app://atelier/assets/..%2f..%2fsecret.txt',
    'app://atelier/%252e%252e/secret.txt',
    'app://atelier/..%5csecret.txt',
    'app://atelier/a%00.js',
    'app://atelier/%',
    'app://atelier/link.txt',
    'app://atelier/..%2frenderer-secrets/x',
    'app://elsewhere/index.html',
    'https://atelier/index.html',
    'not a url',
  ])('none outside of it: %s', async (url) => {
    const root = await site();
    const file = await fileOfAppUrl(root, url);
    // What the URL parser itself has resolved lies inside again.
    expect(file === null || file === join(root, 'secret.txt')).toBe(true);
  });
});

test('a thumbnail goes by its id and nothing else', () => {
  const id = '0123456789abcdef0123456789abcdef';
  expect(nameOfMediaUrl(`media://thumbnail/${id}`)).toEqual({ kind: 'thumbnail', id });
  for (const url of [
    `media://thumbnail/${id}0`,
    `media://thumbnail/../${id}`,
    `media://thumbnail/${id.toUpperCase()}`,
    `media://other/${id}`,
    `media://thumbnail/${id}?x`,
    'media://thumbnail/%2fetc%2fpasswd',
    `app://thumbnail/${id}`,
  ])
    expect(nameOfMediaUrl(url)).toBeNull();
});

test('a sample goes by its job and its number and nothing else', () => {
  const jobId = '6f9619ff-8b86-4011-b42d-00c04fc964ff';
  expect(nameOfMediaUrl(`media://sample/${jobId}/12`)).toEqual({ kind: 'sample', jobId, seq: 12 });
  expect(nameOfMediaUrl(`media://small-sample/${jobId}/12`)).toEqual({
    kind: 'small-sample',
    jobId,
    seq: 12,
  });
  for (const url of [
    `media://sample/${jobId}`,
    `media://large-sample/${jobId}/12`,
    `media://sample/${jobId}/`,
    `media://sample/${jobId}/0`,
    `media://sample/${jobId}/-1`,
    `media://sample/${jobId}/1.5`,
    `media://sample/${jobId}/1e3`,
    `media://sample/${jobId}/12/..`,
    `media://sample/${jobId}/12.png`,
    `media://sample/${jobId}/12?x`,
    `media://sample/${jobId}/12\n`,
    `media://sample/${jobId}/9007199254740993`,
    `media://sample/../${jobId}/12`,
    'media://sample/..%2f..%2fetc%2fpasswd/1',
    'media://sample/%2fetc%2fpasswd/1',
    'media://sample//etc/passwd',
    'media://sample//1',
    `media://sample@elsewhere/${jobId}/12`,
    `app://sample/${jobId}/12`,
  ])
    expect(nameOfMediaUrl(url), url).toBeNull();
});
