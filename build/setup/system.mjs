// What the operating system must bring: libraries of Electron, a virtual display, Python's venv module.
import { existsSync, readFileSync } from 'node:fs';
import { venvPython } from '../paths.mjs';
import { SetupFailure } from './failure.mjs';
import { findPython } from './python.mjs';
import { ask, cleanEnvironment, run } from './run.mjs';

/** Library -> the Debian packages that may carry it; the first that exists is taken. */
const electronLibraries = {
  'libgtk-3.so.0': ['libgtk-3-0t64', 'libgtk-3-0'],
  'libnss3.so': ['libnss3'],
  'libasound.so.2': ['libasound2t64', 'libasound2'],
  'libgbm.so.1': ['libgbm1'],
};
const virtualDisplay = { 'xvfb-run': ['xvfb'], xauth: ['xauth'] };

export const hasDisplay = (env = process.env, platform = process.platform) =>
  platform !== 'linux' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);

/** Names of what is missing, each with the packages that may carry it. */
function missing(root, needs) {
  if (process.platform !== 'linux') return {};
  const lacking = {};
  if (needs.window) {
    const libraries = ask('/sbin/ldconfig', ['-p']) ?? '';
    for (const [library, packages] of Object.entries(electronLibraries)) {
      if (!libraries.includes(`\t${library} `)) lacking[library] = packages;
    }
  }
  if (needs.virtualDisplay) {
    for (const [command, packages] of Object.entries(virtualDisplay)) {
      if (!onPath(command)) lacking[command] = packages;
    }
  }
  if (!existsSync(venvPython(root))) {
    const { version, hasVenv } = findPython();
    const packages = [`python${version.join('.')}-venv`, 'python3-venv'];
    if (!hasVenv) lacking['the venv module of Python'] = packages;
  }
  return lacking;
}

const onPath = (command) =>
  (process.env.PATH ?? '').split(':').some((folder) => existsSync(`${folder}/${command}`));

export function systemStage(root, needs) {
  return {
    title: 'System packages',
    bytes: 200e6,
    isDone: () => Object.keys(missing(root, needs)).length === 0,
    async run(report) {
      const lacking = missing(root, needs);
      if (!existsSync('/usr/bin/apt-get')) {
        throw new SetupFailure(
          `This system lacks ${Object.keys(lacking).join(', ')}.`,
          'Install what brings them with your package manager, then run the command again.',
        );
      }
      if (process.getuid() !== 0) throw askForRoot(lacking);
      const onLine = (line) => report.progress(line);
      const env = { ...cleanEnvironment(), DEBIAN_FRONTEND: 'noninteractive' };
      await run('refresh the list of system packages', 'apt-get', ['update'], { onLine, env });
      const args = ['install', '-y', '--no-install-recommends', ...choose(lacking)];
      await run('install system packages', 'apt-get', args, { onLine, env });
    },
  };
}

/** The package of each missing thing that this release of the system has. */
function choose(lacking) {
  return Object.values(lacking).map(
    (names) => names.find((name) => ask('apt-cache', ['show', name]) !== null) ?? names.at(-1),
  );
}

function askForRoot(lacking) {
  const command = `sudo apt-get update && sudo apt-get install -y ${choose(lacking).join(' ')}`;
  return new SetupFailure(
    `This system lacks ${Object.keys(lacking).join(', ')}, and only root may install them.`,
    `Run this, then run the command again:\n  ${command}`,
  );
}

/**
 * Chromium's sandbox needs user namespaces, or a helper that belongs to root. Throws where it would have neither,
 * because Electron would end with a line that nobody understands.
 */
export function requireSandbox(executable) {
  if (process.platform !== 'linux' || process.getuid() === 0) return;
  const restricted =
    setting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1' ||
    setting('/proc/sys/kernel/unprivileged_userns_clone') === '0';
  const helper = executable.replace(/[^/]+$/u, 'chrome-sandbox');
  if (!restricted || ask('find', [helper, '-user', 'root', '-perm', '-4000'])) return;
  throw new SetupFailure(
    "This system keeps Electron's sandbox from starting.",
    `Give its helper to root, then run the command again:\n  sudo chown root:root '${helper}' && sudo chmod 4755 '${helper}'`,
  );
}

const setting = (file) => (existsSync(file) ? readFileSync(file, 'utf8').trim() : null);
