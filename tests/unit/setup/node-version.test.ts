import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../../build/paths.mjs';
import { nodeProblem } from '../../../build/setup/node-version.mjs';

test.each(['16.20.2', '18.19.0', '20.18.3'])(
  'Node %s is turned away with a sentence',
  (version) => {
    expect(nodeProblem(version)).toMatch(
      new RegExp(`needs Node 20\\.19 or newer, and this is Node ${version}\\.\nInstall`, 'u'),
    );
  },
);

test.each(['20.19.0', '20.20.2', '22.0.0', '26.1.0'])('Node %s will do', (version) => {
  expect(nodeProblem(version)).toBeNull();
});

test.each(['bootstrap', 'start', 'test', 'atelier', 'build', 'test-full-size'])(
  'an old Node can read build/%s.mjs up to the check',
  (name) => {
    const source = readFileSync(join(projectRoot, 'build', `${name}.mjs`), 'utf8');
    const imports = [...source.matchAll(/^import .* from '(.*)';$/gmu)].map(([, from]) => from);
    expect(imports).toEqual(['./setup/node-version.mjs']);
    const check = readFileSync(join(projectRoot, 'build/setup/node-version.mjs'), 'utf8');
    expect(source + check).not.toMatch(/\?\?|\?\.|\bawait\b|'node:|\|\|=|#\w+[ (=]/u);
  },
);
