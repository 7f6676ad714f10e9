import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** One hash of some files and strings: the inputs of a stage. A folder counts with all that is in it. */
export function hashOf(root, paths, extra = []) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap((path) => filesUnder(join(root, path)))) {
    hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  }
  for (const text of extra) hash.update(text).update('\0');
  return hash.digest('hex');
}

function filesUnder(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name !== '__pycache__')
    .sort()
    .flatMap((name) => filesUnder(join(path, name)));
}

/** True when the stage finished with these inputs. */
export function isStamped(file, key) {
  return existsSync(file) && readFileSync(file, 'utf8') === key;
}

/** Remembers that the stage finished. Written last and at once, so that an interrupted stage is not taken for done. */
export function stamp(file, key) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, key);
  renameSync(`${file}.new`, file);
}
