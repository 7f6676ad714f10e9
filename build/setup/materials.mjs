// What the project's own Python scripts make at set-up: CLIP's vocabulary, the sample project, photos to test with.
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

export const clipStage = (root) =>
  scriptStage(root, {
    title: "CLIP's vocabulary",
    script: 'build/clip_tokenizer.py',
    sources: ['build/clip_tokenizer.py', 'build/pinned_wheel.py', 'build/made_folder.py'],
    folder: 'clip-tokenizer',
    bytes: 20e6,
  });

export const sampleStage = (root) =>
  scriptStage(root, {
    title: 'Sample project',
    script: 'build/make_sample.py',
    sources: [
      'build/make_sample.py',
      'build/made_folder.py',
      ...['nova.py', 'portrait.py', 'world.py', 'models/sdxl', 'models/blip'].map(
        (name) => `build/tiny-world/${name}`,
      ),
    ],
    folder: 'sample',
    bytes: 60e6,
  });

export const portraitStage = (root) =>
  scriptStage(root, {
    title: 'Photos to test with',
    script: 'build/portrait_photos.py',
    sources: ['build/portrait_photos.py', 'build/pinned_wheel.py', 'build/made_folder.py'],
    folder: 'portrait-photos',
    bytes: 30e6,
  });
