// The text of docs/kohya-options.md, made from shared/kohya/trainer-options.ts.

const row = (...cells) => `| ${cells.join(' | ')} |`;
const testName = (test) => `\`${test}\``;

/** What became of an option: the word for it, and more. */
function describe(fate, parameters) {
  switch (fate.kind) {
    case 'done': {
      const labels = fate.by.map((key) => `${parameters[key].label} (\`${key}\`)`);
      return ['done', labels.join(', '), testName(fate.test)];
    }
    case 'replaced':
      return ['replaced', fate.how, ''];
    case 'refused':
      return ['refused', fate.why, ''];
    case 'notBuilt':
      return ['not built yet', fate.what, ''];
    default:
      throw new Error(`There is no fate ${fate.kind}.`);
  }
}

function section({ title, options }, parameters) {
  const rows = Object.entries(options).map(([name, fate]) =>
    row(`\`${name}\``, ...describe(fate, parameters)),
  );
  return [
    `## ${title}`,
    '',
    row('option', 'is', 'how', 'test'),
    row('---', '---', '---', '---'),
    ...rows,
  ];
}

function count(sections, kind) {
  const fates = sections.flatMap(({ options }) => Object.values(options));
  return fates.filter((fate) => fate.kind === kind).length;
}

export function kohyaOptions({ trainerOptions, trainerAsserts, differences }, { parameters }) {
  const numbers = [
    [count(trainerOptions, 'done'), 'done'],
    [count(trainerOptions, 'replaced'), 'replaced'],
    [count(trainerOptions, 'refused'), 'refused'],
    [count(trainerOptions, 'notBuilt'), 'not built yet'],
  ].map(([number, word]) => `${number} ${word}`);
  const lines = [
    '# Options of sd-scripts, and what becomes of them here',
    '',
    '<!-- Made from shared/kohya/trainer-options.ts by `npm run generate`. Do not edit. -->',
    '',
    `Every option of sd-scripts’ parser for SDXL LoRAs (v0.10.1): ${numbers.join(', ')}.`,
    'The tests are in `python-bridge/tests`. A config of kohya_ss that asks for what is not done, and would change what is',
    'learnt or kept, is told so when it is read.',
    '',
    ...trainerOptions.flatMap((each) => [...section(each, parameters), '']),
    '## What sd-scripts asserts',
    '',
    row('there', 'here', 'test'),
    row('---', '---', '---'),
    ...trainerAsserts.map(({ claim, here, test }) => row(claim, here, testName(test))),
    '',
    '## Where we differ from Kohya on purpose',
    '',
    '*Repeat Kohya’s faults* (`kohya_exact`) brings Kohya’s results back where only they tell the difference.',
    '',
    row('what', 'Kohya', 'here', 'test'),
    row('---', '---', '---', '---'),
    ...differences.map(({ what, kohya, here, test }) => row(what, kohya, here, testName(test))),
  ];
  return `${lines.join('\n')}\n`;
}
