// The text of docs/parameters.md, made from shared/kohya/gui-fields and the parameter table.

const row = (...cells) => `| ${cells.join(' | ')} |`;
const code = (value) => (value === '' ? '' : `\`${String(value)}\``);

function placeOf(key, { parameters, parameterSections }) {
  const section = parameterSections.find(({ keys }) => keys.has(key));
  const { group } = parameters[key];
  return section === undefined ? group : `${group}, ${section.title}`;
}

/** Where a parameter is, and its default where that is another. */
function parameterCells(key, field, fresh, tables) {
  const { parameters, defaultTrainConfig, ownDefaults, fieldValue } = tables;
  const ours = fieldValue(key, defaultTrainConfig);
  const why = ownDefaults[field];
  const value = defaultTrainConfig[key] ?? 'empty';
  const same = ours === fresh && why === undefined;
  return [
    placeOf(key, tables),
    key === field ? parameters[key].label : `${parameters[key].label} (\`${key}\`)`,
    same ? code(fresh) : `${code(value)}, there ${code(fresh) || 'empty'}: ${why ?? ''}`,
  ];
}

const words = { read: 'read', otherModel: 'refused', told: 'gone, and told', needless: 'gone' };

function reasonOf(fate) {
  if (fate.kind === 'read') return fate.how;
  return fate.kind === 'otherModel' ? `It is ${fate.model}: only SDXL is trained.` : fate.why;
}

function fieldRow([field, label, fresh], tables) {
  const { parameterKeys, kohyaKeyOf, fieldFates } = tables;
  const key = parameterKeys.find((each) => kohyaKeyOf(each) === field);
  const cells =
    key === undefined
      ? [words[fieldFates[field].kind], reasonOf(fieldFates[field]), '']
      : parameterCells(key, field, fresh, tables);
  return row(code(field), label, ...cells);
}

function ownRow(key, tables) {
  const { parameters, defaultTrainConfig } = tables;
  return row(
    code(key),
    parameters[key].label,
    placeOf(key, tables),
    code(defaultTrainConfig[key] ?? 'empty'),
  );
}

/** @param tables the exports of the modules in shared/ that it is made from */
export function parameterTable(tables) {
  const { sdxlFields, otherModelFields, parameterKeys, kohyaKeyOf } = tables;
  const fields = new Set(sdxlFields.map(([field]) => field));
  const own = parameterKeys.filter((key) => !fields.has(kohyaKeyOf(key)));
  const lines = [
    '# Kohya’s fields, and where they are here',
    '',
    '<!-- Made from shared/kohya/gui-fields and shared/parameters by `npm run generate`. Do not edit. -->',
    '',
    `The ${fields.size} fields that kohya_ss v26.0.0 has for an SDXL LoRA, in its order: ${parameterKeys.length - own.length} are parameters here. *read* says`,
    'what their value decides, *gone* that nothing which is learnt or kept depends on them, *gone, and told* that a file',
    'which asks for them is told so when it is opened, *refused* that such a file is not opened.',
    '',
    row('key', 'label there', 'here', 'as, or why', 'default'),
    row('---', '---', '---', '---', '---'),
    ...sdxlFields.map((field) => fieldRow(field, tables)),
    '',
    '`disable_mmap_load_safetensors` is shown there for SDXL, but neither saved nor passed on. Here each part of the model is',
    'read when it is needed.',
    '',
    `kohya_ss saves ${Object.keys(otherModelFields).length} fields of other models beside them. They are left out without a word, and written as a fresh`,
    'kohya_ss has them.',
    '',
    '## What kohya_ss has no field for',
    '',
    'Options of sd-scripts that it takes as Additional parameters, and what only we have.',
    '',
    row('key', 'label', 'here', 'default'),
    row('---', '---', '---', '---'),
    ...own.map((key) => ownRow(key, tables)),
  ];
  return `${lines.join('\n')}\n`;
}
