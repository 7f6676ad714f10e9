import { join } from 'node:path';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { expect, test } from 'vitest';
import { projectRoot } from '../../build/paths.mjs';

/** The house's own linter without the rules that need types: the snippets belong to no project. */
const eslint = new ESLint({
  cwd: projectRoot,
  overrideConfigFile: join(projectRoot, 'build', 'eslint.config.js'),
  overrideConfig: {
    files: ['**/*.{ts,tsx}'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: { parserOptions: { projectService: false } },
  },
});

async function brokenRules(filePath: string, code: string): Promise<readonly string[]> {
  const [result] = await eslint.lintText(code, { filePath: join(projectRoot, filePath) });
  return (result?.messages ?? []).map(({ ruleId, message }) => ruleId ?? message);
}

const forbidden: readonly (readonly [what: string, file: string, code: string, rule: string])[] = [
  [
    'the renderer importing the main process',
    'renderer/x.ts',
    "import { createMenu } from '../electron/menu';\ncreateMenu();",
    'import-x/no-restricted-paths',
  ],
  [
    'the main process importing the renderer',
    'electron/x.ts',
    "import { api } from '../renderer/api';\nvoid api;",
    'import-x/no-restricted-paths',
  ],
  [
    'shared/ importing a side',
    'shared/x.ts',
    "import { createMenu } from '../electron/menu';\ncreateMenu();",
    'import-x/no-restricted-paths',
  ],
  ['Node in shared/', 'shared/x.ts', "import 'node:fs';", 'no-restricted-imports'],
  ['Electron in shared/', 'shared/x.ts', "import 'electron';", 'no-restricted-imports'],
  ['Node in the renderer', 'renderer/x.ts', "import 'node:fs';", 'no-restricted-imports'],
  ['Node in the renderer, bare', 'renderer/x.ts', "import 'path';", 'no-restricted-imports'],
  ['Electron in the renderer', 'renderer/x.ts', "import 'electron';", 'no-restricted-imports'],
  ['Electron in electron/lib', 'electron/lib/x.ts', "import 'electron';", 'no-restricted-imports'],
  [
    'ipcMain outside the wrapper',
    'electron/x.ts',
    "import { ipcMain } from 'electron';\nvoid ipcMain;",
    'no-restricted-imports',
  ],
  [
    'ipcRenderer outside the preload',
    'electron/ipc.ts',
    "import { ipcRenderer } from 'electron';\nvoid ipcRenderer;",
    'no-restricted-imports',
  ],
  [
    'opening an address outside the policy',
    'electron/x.ts',
    "import { shell } from 'electron';\nvoid shell.openExternal('https://example.org');",
    'no-restricted-properties',
  ],
  [
    'opening a path outside the policy',
    'electron/x.ts',
    "import { shell } from 'electron';\nvoid shell.openPath('/');",
    'no-restricted-properties',
  ],
  [
    'asking for the system outside platform.ts',
    'electron/x.ts',
    'export const x = process.platform;',
    'no-restricted-properties',
  ],
  [
    'blocking the main process',
    'electron/services/x.ts',
    "import { readFileSync } from 'node:fs';\nreadFileSync('x');",
    'no-restricted-syntax',
  ],
  ...[
    'nodeIntegration',
    'nodeIntegrationInWorker',
    'contextIsolation',
    'sandbox',
    'webSecurity',
    'allowRunningInsecureContent',
    'experimentalFeatures',
    'enableBlinkFeatures',
    'webviewTag',
  ].flatMap((key) => [
    [key, 'electron/x.ts', `export const x = { ${key}: true };`, 'no-restricted-syntax'] as const,
    [
      `"${key}" in quotes`,
      'electron/x.ts',
      `export const x = { '${key}': true };`,
      'no-restricted-syntax',
    ] as const,
  ]),
  ['a web view', 'renderer/x.tsx', 'export const x = <webview />;', 'no-restricted-syntax'],
  [
    'an insecure address',
    'electron/x.ts',
    "export const x = 'http://example.org';",
    'no-restricted-syntax',
  ],
  [
    'an insecure address in a template',
    'renderer/x.ts',
    'export const x = (y: string) => `http://${y}`;',
    'no-restricted-syntax',
  ],
  [
    'any',
    'shared/x.ts',
    'export const x = (y: any): void => y;',
    '@typescript-eslint/no-explicit-any',
  ],
  [
    'switching the type checker off',
    'shared/x.ts',
    '// @ts-expect-error because\nexport const x = 1;',
    '@typescript-eslint/ban-ts-comment',
  ],
  ['a file of 301 lines', 'shared/x.ts', '\n'.repeat(300) + 'export {};', 'max-lines'],
  [
    'an import cycle',
    'shared/result.ts',
    "import { jobSchema } from './protocol';\nvoid jobSchema;",
    'import-x/no-cycle',
  ],
  ['a default export', 'shared/x.ts', 'export default 1;', 'import-x/no-default-export'],
];

test.each(forbidden)('the linter refuses %s', async (_what, file, code, rule) => {
  expect(await brokenRules(file, code)).toContain(rule);
});

const allowed: readonly (readonly [file: string, code: string])[] = [
  ['electron/ipc.ts', "import { ipcMain } from 'electron';\nvoid ipcMain;"],
  ['electron/preload.ts', "import { ipcRenderer } from 'electron';\nvoid ipcRenderer;"],
  [
    'electron/security/external.ts',
    "import { shell } from 'electron';\nvoid shell.openExternal('https://example.org');",
  ],
  ['electron/lib/platform.ts', 'export const x = process.platform;'],
  ['electron/x.ts', "import { ok } from '../shared/result';\nvoid ok;"],
  ['renderer/x.ts', "import { ok } from '../shared/result';\nvoid ok;"],
];

test.each(allowed)('%s may do what is its work', async (file, code) => {
  expect(await brokenRules(file, code)).toEqual([]);
});
