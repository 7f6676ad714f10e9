// The house's rules that a machine can check: who may import whom, Electron's security checklist, size, no dead ends.
import js from '@eslint/js';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import { importX } from 'eslint-plugin-import-x';
import reactHooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import { builtinModules } from 'node:module';
import tseslint from 'typescript-eslint';
import { projectRoot } from './paths.mjs';

const typescript = ['**/*.{ts,tsx}'];
const product = ['shared/**/*.ts', 'electron/**/*.ts', 'renderer/**/*.{ts,tsx}'];
const nodeModules = [...builtinModules, 'node:*'];

// ---- who may import whom ----------------------------------------------------------------------------------------

const zone = (target, from, message) => ({ target: `./${target}`, from: `./${from}`, message });
const zones = [
  zone('shared', 'electron', 'shared/ knows neither side.'),
  zone('shared', 'renderer', 'shared/ knows neither side.'),
  zone('electron', 'renderer', 'The main process never imports the interface.'),
  zone('renderer', 'electron', 'The renderer reaches the machine through window.api alone.'),
  ...['shared', 'electron', 'renderer'].flatMap((target) => [
    zone(target, 'tests', 'The product does not import its tests.'),
    zone(target, 'build', 'The product does not import its build.'),
  ]),
];
const electronNames = {
  ipcMain: 'Register handlers in electron/ipc.ts, which checks senders and schemas.',
  ipcRenderer: 'Only electron/preload.ts talks to main.',
};
const exceptFrom = (...allowed) =>
  Object.entries(electronNames)
    .filter(([name]) => !allowed.includes(name))
    .map(([name, message]) => ({ name: 'electron', importNames: [name], message }));

// ---- what no file may contain -----------------------------------------------------------------------------------

const securityKeys =
  '/^(nodeIntegration.*|contextIsolation|sandbox|webSecurity|allowRunningInsecureContent|experimentalFeatures|enableBlinkFeatures|webviewTag)$/';
const forbidden = [
  {
    selector: `Property[key.name=${securityKeys}], Property[key.value=${securityKeys}]`,
    message: "Electron's defaults are the safe ones: this option is never mentioned.",
  },
  { selector: "JSXOpeningElement[name.name='webview']", message: 'No web views.' },
  {
    selector: String.raw`Literal[value=/http:\u002F\u002F/], TemplateElement[value.raw=/http:\u002F\u002F/]`,
    message: 'Only secure addresses.',
  },
];
const synchronous = {
  selector: 'CallExpression[callee.name=/Sync$/], CallExpression[callee.property.name=/Sync$/]',
  message: 'The main process serves the window: use the asynchronous function.',
};
const onlyIn = (file, object, ...properties) =>
  properties.map((property) => ({ object, property, message: `Only ${file} may use this.` }));
const platform = onlyIn('electron/lib/platform.ts', 'process', 'platform');
const external = onlyIn('electron/security/external.ts', 'shell', 'openExternal', 'openPath');

export default defineConfig(
  {
    ignores: [
      'dist/',
      'test-results/',
      '.venv/',
      '.atelier/',
      'python-bridge/',
      'build/electron-shim/',
    ],
  },
  js.configs.recommended,
  {
    files: typescript,
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: projectRoot } },
    rules: {
      '@typescript-eslint/ban-ts-comment': [
        'error',
        { 'ts-expect-error': true, 'ts-ignore': true, 'ts-nocheck': true, 'ts-check': true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { attributes: false } },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/prefer-nullish-coalescing': [
        'error',
        { ignorePrimitives: { string: true } },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    plugins: { 'import-x': importX },
    settings: {
      ...importX.flatConfigs.typescript.settings,
      'import-x/resolver-next': [createTypeScriptImportResolver({ project: 'tsconfig.json' })],
    },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', { zones }],
      'max-lines': ['error', 300],
      eqeqeq: 'error',
      'no-control-regex': 'off', // File names may not hold control characters.
      'no-warning-comments': 'error',
    },
  },
  {
    files: product,
    rules: {
      'import-x/no-default-export': 'error',
      'no-console': 'error',
      'no-restricted-properties': ['error', ...platform, ...external],
      'no-restricted-syntax': ['error', ...forbidden],
    },
  },
  {
    files: ['shared/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!\\.|zod$|smol-toml$)',
              message: 'shared/ knows zod, smol-toml and itself.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['renderer/**/*.{ts,tsx}'],
    extends: [reactHooks.configs.flat.recommended],
    rules: {
      'react-hooks/incompatible-library': 'off', // A note about the React Compiler, which is not used.
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['electron', 'sharp', ...nodeModules],
              message: 'The renderer reaches the machine through window.api alone.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['electron/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { paths: exceptFrom() }],
      'no-restricted-syntax': ['error', ...forbidden, synchronous],
    },
  },
  {
    files: ['electron/lib/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'electron', message: 'electron/lib/ works without Electron.' }] },
      ],
    },
  },
  {
    files: ['electron/ipc.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: exceptFrom('ipcMain') }] },
  },
  {
    files: ['electron/preload.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: exceptFrom('ipcRenderer') }] },
  },
  {
    files: ['electron/lib/platform.ts'],
    rules: { 'no-restricted-properties': ['error', ...external] },
  },
  {
    files: ['electron/security/external.ts'],
    rules: { 'no-restricted-properties': ['error', ...platform] },
  },
  {
    // A line that is logged must be on the disk before whatever comes next ends the process.
    files: ['electron/services/log.ts'],
    rules: { 'no-restricted-syntax': ['error', ...forbidden] },
  },
  {
    // Tables: one list each, long because there is much to list.
    files: ['shared/parameters.ts', 'shared/protocol.ts'],
    rules: { 'max-lines': 'off' },
  },
  {
    // The terminal's front end serves no window, and printing is its work.
    files: ['electron/cli.ts', 'electron/cli/**/*.ts'],
    rules: { 'no-console': 'off', 'no-restricted-syntax': ['error', ...forbidden] },
  },
  {
    files: ['tests/**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off', // expect.any() and its like are `any`.
      '@typescript-eslint/require-await': 'off', // A fake of something asynchronous.
      'no-empty-pattern': 'off', // Playwright's fixtures that need no other fixture.
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    rules: { 'no-unused-vars': ['error', { ignoreRestSiblings: true }] },
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'URL',
          'setInterval',
          'clearInterval',
          'setTimeout',
          'AbortController',
          'Buffer',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);
