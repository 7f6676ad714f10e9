import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from './run.mjs';

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** True when node_modules holds what package-lock.json says. npm writes its own record last, so a torn install shows. */
export function packagesMatch(root) {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = readJson(record).packages;
  return Object.entries(readJson(join(root, 'package-lock.json')).packages).every(
    ([path, { version, optional, devOptional }]) =>
      path === '' ||
      installed[path]?.version === version ||
      ((optional || devOptional) && installed[path] === undefined),
  );
}

/** npm as a command: the one that runs us, else the one on the path. */
function npmCommand() {
  const script = process.env.npm_execpath;
  if (script && basename(script) === 'npm-cli.js') return [process.execPath, [script], {}];
  return ['npm', [], { shell: process.platform === 'win32' }];
}

export function npmStage(root) {
  return {
    title: 'Node packages',
    bytes: 600e6,
    isDone: () => packagesMatch(root),
    async run(report) {
      const total = Object.keys(readJson(join(root, 'package-lock.json')).packages).length - 1;
      let fetched = 0;
      const onLine = (line) => {
        if (/http fetch GET 200 .*\.tgz /u.test(line)) fetched += 1;
        const trouble = / attempt \d+ failed /u.test(line) ? ', trying again' : '';
        report.progress(`${fetched} of ${total} packages${trouble}`);
      };
      const [command, args, options] = npmCommand();
      const install = ['ci', '--no-audit', '--no-fund', '--loglevel=http'];
      await run('install Node packages', command, [...args, ...install], {
        cwd: root,
        onLine,
        ...options,
      });
    },
  };
}
