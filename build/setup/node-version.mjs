// Syntax and imports of this file stay old: it must run on the Node that it turns away.
const needed = [20, 19];

/** Why this Node cannot be used, or null. */
export function nodeProblem(version) {
  const [major, minor] = version.split('.').map(Number);
  const tooOld = major < needed[0] || (major === needed[0] && minor < needed[1]);
  if (!tooOld) return null;
  return (
    'LoRA Atelier needs Node ' +
    needed.join('.') +
    ' or newer, and this is Node ' +
    version +
    '.\nInstall the current LTS release of Node.js, open a new terminal and run the command again.'
  );
}

/** Loads the rest, which is written for a new Node; an old one ends here with a sentence instead of a syntax error. */
export function whenNodeIsNewEnough(load) {
  const problem = nodeProblem(process.versions.node);
  if (problem === null) return load();
  console.error(problem);
  process.exit(1);
}
