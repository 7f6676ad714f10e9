// Everything that `npm test` runs once set-up is done.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dataDir, venvPython } from '../paths.mjs';
import { SetupFailure } from './failure.mjs';
import { duration } from './report.mjs';
import { cleanEnvironment } from './run.mjs';
import { hasDisplay } from './system.mjs';
import {
  countReport,
  readJunit,
  readPlaywright,
  readQuality,
  readVitest,
} from './test-reports.mjs';

const results = 'test-results';

/** The command of a Node package's own program, given as `package` or `package#program`. */
function node(root, name, ...args) {
  const [packageName, program] = name.split('#');
  const folder = join(root, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const script = typeof bin === 'string' ? bin : (bin[program] ?? Object.values(bin)[0]);
  return [process.execPath, join(folder, script), ...args];
}

/** Playwright with the real app, in a virtual display where there is none. */
const playwright = (root, config) => [
  ...(hasDisplay() ? [] : ['xvfb-run', '-a', '-s', '-screen 0 1920x1200x24']),
  ...node(root, '@playwright/test', 'test', '-c', `build/${config}`),
];

export const screenshotCommand = (root) => playwright(root, 'screenshots.config.ts');

export const benchCommand = (root) => playwright(root, 'bench.config.ts');

/** The figures of the tiny world. */
export const qualityCommand = (root, args) => [
  venvPython(root),
  join(root, 'build', 'tiny-world', 'quality.py'),
  ...['--sample', join(dataDir(root), 'sample'), ...args],
];

/** A check passes or fails as a whole; a suite has a report that counts its tests. */
function steps(root) {
  const python = venvPython(root);
  const inBridge = { cwd: join(root, 'python-bridge') };
  const bridge = (title, ...args) => ({ ...check('lint', title, [python, ...args]), ...inBridge });
  const config = (name) => `build/${name}`;
  const vitest = node(root, 'vitest', 'run', '--config', config('vitest.config.ts'));
  return [
    check('lint', 'eslint', node(root, 'eslint', '--config', config('eslint.config.js'), '.')),
    check('lint', 'prettier', node(root, 'prettier', '--check', '--log-level', 'warn', '.')),
    check('lint', 'knip', node(root, 'knip', '--config', config('knip.json'))),
    bridge('ruff check', '-m', 'ruff', 'check', '.', '../build'),
    bridge('ruff format', '-m', 'ruff', 'format', '--check', '.', '../build'),
    bridge('vulture', '-m', 'vulture'),
    check('types', 'tsc', node(root, 'typescript#tsc', '-b')),
    check('types', 'pyright', node(root, 'pyright', '-p', 'python-bridge')),
    check('types', 'generated types', [process.execPath, 'build/generate-protocol.mjs', '--check']),
    suite('unit', 'vitest', 'unit.json', readVitest, [
      ...vitest,
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${results}/unit.json`],
    ]),
    {
      ...suite('python', 'pytest', 'python.xml', readJunit, [
        ...[python, '-m', 'pytest', '-m', 'not full_size and not gpu'],
        `--junitxml=${join(root, results, 'python.xml')}`,
      ]),
      ...inBridge,
    },
    suite('quality', 'tiny world', 'quality.json', readQuality, [
      ...qualityCommand(root, ['--quick', '--report', join(root, results, 'quality.json')]),
    ]),
    check('e2e', 'bundles', [process.execPath, 'build/build.mjs']),
    suite(
      'e2e',
      'Playwright',
      'e2e.json',
      readPlaywright,
      playwright(root, 'playwright.config.ts'),
    ),
  ];
}

const check = (group, title, command) => ({
  group,
  title,
  command,
  count: (exitCode) => ({
    passed: exitCode === 0 ? 1 : 0,
    failed: exitCode === 0 ? 0 : 1,
    skipped: [],
  }),
});

const suite = (group, title, report, read, command) => ({
  group,
  title,
  command,
  isLoud: true,
  count: (exitCode, root) => countReport(join(root, results, report), read, exitCode),
});

/**
 * Runs all steps, or those of the groups after `--only`, and prints the sum.
 * @returns whether nothing failed.
 */
export async function runSuites(root, args) {
  rmSync(join(root, results), { recursive: true, force: true });
  mkdirSync(join(root, results));
  const rows = [];
  for (const step of chosen(steps(root), args)) {
    const started = Date.now();
    console.log(`\n• ${step.title}`);
    const exitCode = await execute({ cwd: root, ...step });
    rows.push({
      ...step,
      ...step.count(exitCode, root),
      seconds: (Date.now() - started) / 1000,
    });
  }
  return printSummary(rows);
}

function chosen(all, args) {
  const at = args.indexOf('--only');
  if (at === -1) return all;
  const groups = args[at + 1]?.split(',') ?? [];
  const known = [...new Set(all.map(({ group }) => group))];
  if (groups.length === 0 || groups.some((group) => !known.includes(group))) {
    throw new SetupFailure(
      `--only takes names of test groups, with commas between them.`,
      `The groups are: ${known.join(', ')}.`,
    );
  }
  return all.filter(({ group }) => groups.includes(group));
}

/** Suites show their progress; a check speaks only when it fails. */
async function execute({ command: [program, ...args], isLoud, cwd }) {
  const stdio = isLoud ? 'inherit' : ['ignore', 'pipe', 'pipe'];
  const child = spawn(program, args, { cwd, env: cleanEnvironment(), stdio });
  const chunks = [];
  child.stdout?.on('data', (chunk) => chunks.push(chunk));
  child.stderr?.on('data', (chunk) => chunks.push(chunk));
  const exitCode = await new Promise((resolve) => {
    child.on('error', (error) => {
      chunks.push(Buffer.from(`${error.message}\n`));
      resolve(1);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
  if (exitCode !== 0) process.stdout.write(Buffer.concat(chunks));
  return exitCode;
}

function printSummary(rows) {
  console.log('');
  for (const { group, title, passed, failed, seconds } of rows) {
    const counts = failed === 0 ? `${passed} passed` : `${passed} passed, ${failed} FAILED`;
    console.log(
      `  ${group.padEnd(8)}${title.padEnd(18)}${duration(seconds).padStart(11)}   ${counts}`,
    );
  }
  const skipped = rows.flatMap((row) => row.skipped.map((name) => `${row.title}: ${name}`));
  for (const name of skipped) console.log(`  SKIPPED ${name}`);
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  const tail = skipped.length === 0 ? '' : `, ${skipped.length} skipped`;
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed${tail}`);
  return sum('failed') === 0;
}
