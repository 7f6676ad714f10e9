import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { venvPython } from '../paths.mjs';
import { SetupFailure } from './failure.mjs';
import { ask, run } from './run.mjs';
import { hashOf, isStamped, stamp } from './stamp.mjs';

const oldest = [3, 11];
const pip = ['-m', 'pip', '--disable-pip-version-check', '--no-input'];
const newestFirst = ['python3.14', 'python3.13', 'python3.12', 'python3.11'];

/** Commands that may be a Python, in the order in which they are tried. */
export function pythonCandidates(env = process.env, platform = process.platform) {
  if (env.ATELIER_PYTHON) return [[env.ATELIER_PYTHON]];
  const usual = [['python3'], ['python']];
  if (platform === 'win32') return [['py', '-3'], ...usual];
  return [...usual, ...newestFirst.map((name) => [name])];
}

/** The first Python that is new enough: {command, version: [major, minor], hasVenv}. */
export function findPython(candidates = pythonCandidates()) {
  const seen = [];
  for (const command of candidates) {
    const found = describe(command);
    if (found === null) continue;
    if (isNewEnough(found.version)) return found;
    seen.push(`${command.join(' ')} is ${found.version.join('.')}`);
  }
  throw new SetupFailure(
    `LoRA Atelier needs Python ${oldest.join('.')} or newer, and ${seen.length === 0 ? 'none was found' : seen.join(', ')}.`,
    'Install a newer Python, or set ATELIER_PYTHON to the path of one, then run the command again.',
  );
}

const isNewEnough = ([major, minor]) =>
  major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);

function describe([command, ...args]) {
  const question =
    'import sys, importlib.util as u; print(*sys.version_info[:2], u.find_spec("venv") and u.find_spec("ensurepip") and 1 or 0)';
  const answer = ask(command, [...args, '-c', question]);
  if (answer === null) return null;
  const [major, minor, hasVenv] = answer.trim().split(' ').map(Number);
  return { command: [command, ...args], version: [major, minor], hasVenv: hasVenv === 1 };
}

/** The environment's Python runs, is new enough and has pip: not so after a system upgrade, or half made. */
const works = (root) => {
  const question = `import pip, sys; sys.exit(sys.version_info < (${oldest.join(', ')}))`;
  return ask(venvPython(root), ['-c', question]) !== null;
};

/** There until pip succeeds: one that was killed may leave packages that look whole and are not. */
const interrupted = (root) => join(root, '.venv', '.interrupted');

/** One stage for each list of requirements: what the app needs, and what only the tests need. */
export function pythonStage(root, { title, requirements, bytes }) {
  const file = join(root, '.venv', `.stamp-${requirements}`);
  const folder = 'python-bridge';
  const key = () =>
    hashOf(root, [`${folder}/requirements.txt`, `${folder}/${requirements}`], [torchIndex() ?? '']);
  return {
    title,
    bytes,
    isDone: () => isStamped(file, key()) && ask(venvPython(root), ['-c', '']) !== null,
    async run(report) {
      await createEnvironment(root, report);
      writeFileSync(interrupted(root), '');
      const onLine = pipProgress(report);
      if (torchIndex() !== null) {
        const args = ['install', '--index-url', torchIndex(), torchRequirement(root)];
        await run('install torch', venvPython(root), [...pip, ...args], { onLine });
      }
      const args = ['install', '--progress-bar', 'off', '-r', join(root, folder, requirements)];
      await run('install Python packages', venvPython(root), [...pip, ...args], { onLine });
      rmSync(interrupted(root));
      stamp(file, key());
    },
  };
}

/** Where torch comes from when not from the usual index: on Windows that is how to get a torch with CUDA. */
const torchIndex = () => process.env.TORCH_INDEX_URL || null;

function torchRequirement(root) {
  const lines = readFileSync(join(root, 'python-bridge', 'requirements.txt'), 'utf8').split(
    /\r?\n/u,
  );
  return lines.find((line) => line.startsWith('torch=='));
}

async function createEnvironment(root, report) {
  const folder = join(root, '.venv');
  if (existsSync(folder) && !existsSync(interrupted(root)) && works(root)) return;
  const { command, version } = findPython();
  report.progress(`making .venv with Python ${version.join('.')}`);
  await rm(folder, { recursive: true, force: true });
  const [program, ...args] = command;
  await run('make the Python environment', program, [...args, '-m', 'venv', folder]);
}

/** Turns what pip prints into how far it is. */
function pipProgress(report) {
  let count = 0;
  return (line) => {
    const [, verb, what] = /^\s*(Collecting|Downloading|Using cached)\s+(.+)$/u.exec(line) ?? [];
    if (line.includes('Retrying')) report.progress('the network does not answer, trying again');
    else if (verb === 'Collecting') report.progress(`package ${++count}: ${what.split(' ')[0]}`);
    else if (verb !== undefined) report.progress(`package ${count}: ${what}`);
    else if (line.startsWith('Installing collected packages')) {
      report.progress(`unpacking ${line.split(',').length} packages`);
    }
  };
}
