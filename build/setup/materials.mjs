// What the project's own Python scripts make at set-up: CLIP's vocabulary and the sample project.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dataDir, venvPython } from '../paths.mjs';
import { run } from './run.mjs';
import { hashOf, isStamped, stamp } from './stamp.mjs';

/** A stage that runs one script of build/ and is done until one of its sources changes. */
function scriptStage(root, { title, script, sources, folder, bytes }) {
  const target = join(dataDir(root), folder);
  const file = join(dataDir(root), `${folder}.stamp`);
  const key = () => hashOf(root, sources);
  return {
    title,
    bytes,
    isDone: () => existsSync(target) && isStamped(file, key()),
    async run(report) {
      await run(title, venvPython(root), [join(root, script), '--out', target], {
        cwd: root,
        onLine: (line) => report.progress(line),
      });
      stamp(file, key());
    },
  };
}

const shared = ['build/pinned_wheel.py', 'build/made_folder.py'];

export const clipStage = (root) =>
  scriptStage(root, {
    title: "CLIP's vocabulary",
    script: 'build/clip_tokenizer.py',
    sources: ['build/clip_tokenizer.py', ...shared],
    folder: 'clip-tokenizer',
    bytes: 20e6,
  });

export const sampleStage = (root) =>
  scriptStage(root, {
    title: 'Sample project',
    script: 'build/make_sample.py',
    sources: [
      'build/make_sample.py',
      'build/sample_pictures.py',
      'build/clip_tokenizer.py',
      'build/tiny_models',
      'python-bridge/requirements.txt',
      ...shared,
    ],
    folder: 'sample',
    bytes: 100e6,
  });
