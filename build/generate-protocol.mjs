// Makes from shared/ what Python needs to know of it: python-bridge/lora_bridge/protocol_types.py from the zod schemas
// in protocol.ts and worker-protocol.ts, and the default training config from the table in parameters.ts. Makes what
// docs/ says of Kohya's options and fields too, and the configs of our presets and of kohya_ss's.
//   node build/generate-protocol.mjs           writes them
//   node build/generate-protocol.mjs --check   fails when a file on disk differs
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runnerImport } from 'vite';
import { z } from 'zod';
import { kohyaOptions } from './kohya-options.mjs';
import { parameterTable } from './parameter-table.mjs';
import { projectRoot as root, venvPython } from './paths.mjs';

const header =
  '# Generated from shared/protocol.ts, picture-protocol.ts and worker-protocol.ts by `npm run generate`. Do not edit.\n';

const shared = async (name) =>
  (await runnerImport(join(root, 'shared', name), { configFile: false })).module;

/** JSON Schema of everything that has an id in the protocol, with what the generator needs to see tagged unions. */
async function protocolSchema() {
  const { jobs, pictures, worker } = await shared('bridge-schemas.ts');
  const schemas = [jobs, pictures, worker]
    .flatMap(Object.values)
    .filter((value) => value instanceof Object && '_zod' in value && z.globalRegistry.has(value));
  const { $defs } = z.toJSONSchema(z.union(schemas), {
    override({ zodSchema, jsonSchema }) {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      const { discriminator } = zodSchema._zod.def;
      if (discriminator !== undefined) jsonSchema.discriminator = { propertyName: discriminator };
      if (jsonSchema.properties?.seq !== undefined) leaveEnvelopeToTheWriter(jsonSchema);
    },
  });
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', $defs };
}

/** The code that reports an event says what happened; the writer numbers and dates it. */
function leaveEnvelopeToTheWriter(event) {
  event.properties.v.default = event.properties.v.const;
  event.properties.seq.default = 0;
  event.properties.time.default = 0;
  event.required = event.required.filter((name) => !['v', 'seq', 'time'].includes(name));
}

function toPython(schema) {
  const folder = mkdtempSync(join(tmpdir(), 'protocol-'));
  try {
    const input = join(folder, 'protocol.json');
    const output = join(folder, 'protocol_types.py');
    writeFileSync(input, JSON.stringify(schema));
    const options = [
      ['--input', input, '--input-file-type', 'jsonschema', '--output', output],
      ['--output-model-type', 'msgspec.Struct', '--target-python-version', '3.11'],
      ['--snake-case-field', '--keyword-only', '--frozen-dataclasses', '--use-annotated'],
      ['--use-standard-collections', '--use-union-operator', '--field-constraints'],
      ['--enum-field-as-literal', 'all', '--disable-timestamp', '--formatters', 'builtin'],
    ].flat();
    execFileSync(venvPython(root), ['-m', 'datamodel_code_generator', ...options], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const format = [
      '-m',
      'ruff',
      'format',
      '--config',
      join(root, 'python-bridge', 'pyproject.toml'),
      output,
    ];
    execFileSync(venvPython(root), format, { stdio: ['ignore', 'ignore', 'inherit'] });
    const body = readFileSync(output, 'utf8');
    return (
      header +
      body
        .slice(body.indexOf('\nfrom __future__'))
        .replace('\nModel: TypeAlias = Any\n', '')
        .replace('Annotated, Any, Literal', 'Annotated, Literal')
        // As zod's strict objects are; the generator has no option for it.
        .replaceAll('kw_only=True', 'kw_only=True, forbid_unknown_fields=True')
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function defaultConfig() {
  const { defaultTrainConfig } = await shared('parameters.ts');
  return `${JSON.stringify(defaultTrainConfig, null, 2)}\n`;
}

async function defaultCaptionConfig() {
  const { emptyProject } = await shared('settings.ts');
  const config = { ...emptyProject.captioning, images: null, candidates: 0 };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** What each of our presets sets: the bridge's tests train with them and see that they fit. */
async function ownPresets() {
  const { presetFamilies } = await shared('presets.ts');
  const values = presetFamilies.flatMap(({ presets }) =>
    presets.map((preset) => [preset.id, preset.values]),
  );
  return `${JSON.stringify(Object.fromEntries(values), null, 2)}\n`;
}

/** What becomes of kohya_ss's SDXL presets: what differs from our defaults. The bridge's tests train with them. */
async function importedPresets() {
  const { importKohyaJson } = await shared('kohya/import-json.ts');
  const { defaultTrainConfig } = await shared('parameters.ts');
  const { common, presets } = JSON.parse(
    readFileSync(join(root, 'tests/fixtures/kohya/sdxl-presets.json'), 'utf8'),
  );
  const imported = Object.entries(presets).map(([name, values]) => {
    const { config } = importKohyaJson(JSON.stringify({ ...common, ...values }), name);
    const changed = Object.entries(config).filter(
      ([key, value]) => value !== defaultTrainConfig[key],
    );
    return [name, Object.fromEntries(changed)];
  });
  return `${JSON.stringify(Object.fromEntries(imported), null, 2)}\n`;
}

const generated = {
  'python-bridge/lora_bridge/protocol_types.py': toPython(await protocolSchema()),
  'tests/fixtures/protocol/default-config.json': await defaultConfig(),
  'tests/fixtures/protocol/default-caption-config.json': await defaultCaptionConfig(),
  'tests/fixtures/protocol/presets.json': await ownPresets(),
  'tests/fixtures/kohya/sdxl-presets-imported.json': await importedPresets(),
  'docs/kohya-options.md': kohyaOptions(
    await shared('kohya/trainer-options.ts'),
    await shared('parameters.ts'),
  ),
  'docs/parameters.md': parameterTable({
    ...(await shared('parameters.ts')),
    ...(await shared('kohya/gui-fields/sdxl.ts')),
    ...(await shared('kohya/gui-fields/other-models.ts')),
    ...(await shared('kohya/gui-fields/fates.ts')),
    ...(await shared('kohya/own-defaults.ts')),
    ...(await shared('kohya/convert.ts')),
    ...(await shared('kohya/write-fields.ts')),
  }),
};
for (const [name, content] of Object.entries(generated)) {
  const file = join(root, name);
  if (!process.argv.includes('--check')) {
    writeFileSync(file, content);
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== content) {
    console.error(
      `${name} is not what shared/ says. Run: npm run generate, and commit the result.`,
    );
    process.exitCode = 1;
  }
}
