import { contract } from '../../shared/contract';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, launch, test } from './support/app';
import { makeEarlierRun, png, rememberRuns } from './support/earlier-run';

/** The security checklist, asked of the running app: what the renderer must not be able to do. */

test('the renderer has no Node and nothing but window.api', async ({ atelier: { page } }) => {
  const seen = await page.evaluate(() => ({
    protocol: location.protocol,
    node: ['require', 'process', 'Buffer', 'module', 'global'].filter((name) => name in window),
    api: Object.keys((window as unknown as { api: object }).api).sort(),
    channels: Object.keys((window as unknown as { api: { invoke: object } }).api.invoke).sort(),
  }));
  expect(seen.protocol).toBe('app:');
  expect(seen.node).toEqual([]);
  expect(seen.api).toEqual(['invoke', 'on', 'pathOf']);
  expect(seen.channels).toEqual(Object.keys(contract).sort());
});

test('the page cannot reach into the preload by patching built-ins', async ({
  atelier: { page },
}) => {
  const answer = await page.evaluate(async () => {
    Array.prototype.push = () => {
      throw new Error('patched');
    };
    const { api } = window as unknown as {
      api: { invoke: Record<string, (request?: unknown) => Promise<{ ok: boolean }>> };
    };
    return (await api.invoke['app:info']?.())?.ok;
  });
  expect(answer).toBe(true);
});

test('every window is sandboxed and isolated', async ({ atelier: { app } }) => {
  const preferences = await app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows().map(({ webContents }) => {
      const { sandbox, contextIsolation, nodeIntegration, webSecurity, webviewTag } = (
        webContents as unknown as {
          getLastWebPreferences: () => Record<string, unknown>;
        }
      ).getLastWebPreferences();
      return { sandbox, contextIsolation, nodeIntegration, webSecurity, webviewTag };
    }),
  );
  expect(preferences).toEqual([
    {
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
    },
  ]);
});

test('inline scripts, eval and foreign origins are refused', async ({ atelier: { page } }) => {
  const refused = await page.evaluate(async () => {
    const violations: string[] = [];
    document.addEventListener('securitypolicyviolation', (event) => {
      violations.push(event.effectiveDirective);
    });
    const script = document.createElement('script');
    script.textContent = 'window.injected = true';
    document.body.append(script);
    // From a timer: what a debugger evaluates may itself use eval, whatever the policy says.
    const evaluated = await new Promise<boolean>((resolve) => {
      setTimeout(() => {
        try {
          resolve((Reflect.construct(Function, ['return true']) as () => boolean)());
        } catch {
          resolve(false);
        }
      });
    });
    const reached: string[] = [];
    for (const address of ['https://example.com/', 'file:///etc/hostname', 'data:text/plain,x'])
      await fetch(address).then(
        () => reached.push(address),
        () => undefined,
      );
    const expected = ['script-src-elem', 'script-src', 'connect-src'];
    while (!expected.every((directive) => violations.includes(directive)))
      await new Promise((resolve) => setTimeout(resolve, 20));
    return { evaluated, injected: 'injected' in window, reached };
  });
  expect(refused.evaluated).toBe(false);
  expect(refused.injected).toBe(false);
  expect(refused.reached).toEqual([]);
});

test('navigation, windows, frames and webviews go nowhere', async ({ atelier: { app, page } }) => {
  const addresses = () =>
    app.evaluate(({ webContents }) => webContents.getAllWebContents().map((each) => each.getURL()));
  const before = await addresses();
  const opened = await page.evaluate(() => {
    const popup = window.open('https://example.com/');
    const link = document.createElement('a');
    link.href = 'https://example.com/';
    document.body.append(link, document.createElement('webview'));
    link.click();
    location.assign('https://example.com/');
    return popup !== null;
  });
  expect(opened).toBe(false);
  // The page is alive, so the navigation was refused and not merely slow.
  expect(await page.evaluate(() => document.querySelectorAll('[role=tab]').length)).toBe(4);
  expect(await addresses()).toEqual(before);
  expect(before).toHaveLength(1);
});

test('permissions are refused', async ({ atelier: { page } }) => {
  const states = await page.evaluate(async () => {
    const asked = ['geolocation', 'camera', 'microphone', 'notifications', 'midi'] as const;
    const answers = await Promise.all(
      asked.map(async (name) => {
        const { state } = await navigator.permissions.query({ name });
        return state;
      }),
    );
    const camera = await navigator.mediaDevices.getUserMedia({ video: true }).then(
      () => 'granted',
      () => 'refused',
    );
    return { answers, camera };
  });
  expect(states.answers.filter((state) => state === 'granted')).toEqual([]);
  expect(states.camera).toBe('refused');
});

/** Which of these pictures the page gets to see. */
const shown = (page: Page, addresses: readonly string[]): Promise<string[]> =>
  page.evaluate(async (all) => {
    const seen = await Promise.all(
      all.map(
        (address) =>
          new Promise<string[]>((resolve) => {
            const image = new Image();
            image.onload = () => {
              resolve([address]);
            };
            image.onerror = () => {
              resolve([]);
            };
            image.src = address;
          }),
      ),
    );
    return seen.flat();
  }, addresses);

test('the picture scheme serves ids, never paths', async ({ atelier: { page } }) => {
  const addresses = [
    'media://thumbnail/unknown',
    'media://thumbnail/..%2f..%2fetc%2fpasswd',
    'media://thumbnail//etc/passwd',
    'media://elsewhere/x',
  ];
  expect(await shown(page, addresses)).toEqual([]);
});

test('a run’s samples are served by number, and nothing that lies outside of its folder', async ({
  home,
}) => {
  const secret = join(home, 'secret.png');
  const link = join(home, 'log', 'run', 'samples', 'link.png');
  await writeFile(secret, png);
  await makeEarlierRun(home, 'other', [{}, {}, {}, {}]);
  const run = await makeEarlierRun(home, 'run', [
    {},
    { path: secret },
    { path: link },
    { path: join(home, 'log', 'other', 'samples', '4.png') },
    { path: `${join(home, 'log', 'run')}/samples/../../../secret.png` },
  ]);
  await symlink(secret, link);
  await rememberRuns(home);
  const { page, close } = await launch(home);
  await page.getByRole('tab', { name: 'Training' }).click();
  await expect(page.getByRole('button', { name: /^run/u })).toBeVisible();
  const numbers = [0, 1, 2, 3, 4, 5, 6];
  const sizes = ['sample', 'small-sample'];
  const addresses = sizes.flatMap((size) => [
    ...numbers.map((seq) => `media://${size}/${run.id}/${seq}`),
    `media://${size}/${run.id}/samples/1.png`,
    `media://${size}/${encodeURIComponent(run.folder)}/1`,
    `media://${size}/none/1`,
  ]);
  expect(await shown(page, addresses)).toEqual(sizes.map((size) => `media://${size}/run/1`));
  await close();
});

test('bad requests are answered with a problem, not with a crash', async ({
  atelier: { page },
}) => {
  const answers = await page.evaluate(async () => {
    const { api } = window as unknown as {
      api: {
        invoke: Record<string, (request?: unknown) => Promise<{ ok: boolean; error?: object }>>;
      };
    };
    return Promise.all([
      api.invoke['datasets:scan']?.({ folder: 7 }),
      api.invoke['datasets:scan']?.({ folder: '/', captionExtension: '.txt', more: 1 }),
      api.invoke['jobs:get']?.({ jobId: '../../etc' }),
      api.invoke['jobs:reveal']?.({ jobId: 'none', path: '/etc/passwd' }),
    ]);
  });
  for (const answer of answers) {
    expect(answer?.ok).toBe(false);
    expect(answer?.error).toMatchObject({
      code: expect.any(String),
      message: expect.any(String),
    });
  }
});
