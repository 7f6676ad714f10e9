import { Text } from '@mantine/core';
import { parameterProblems, parameters } from '../../../../shared/parameters';
import { presetKeys, presetValuesOf } from '../../../../shared/preset-values';
import { call } from '../../../api';
import { notifyDone } from '../../../app/notify';
import { configOf, useProject } from '../../../app/project';
import { Note } from '../../../components/bits';
import { NameForm } from './NameForm';
import { readOwnPresets, useOwnPresets } from './store';

/** Keeps the parameters as they stand under a name. */
export function SavePreset({ onClose }: { readonly onClose: () => void }) {
  const config = configOf(useProject((project) => project.training));
  const names = useOwnPresets(({ presets }) => presets).map(({ name }) => name);
  const problems = parameterProblems(config);
  const unusable = presetKeys.filter((key) => problems[key] !== undefined);

  const save = async (name: string) => {
    await call('presets:save', { name, values: presetValuesOf(config), replace: true });
    await readOwnPresets();
    onClose();
    notifyDone({ title: `Preset saved: ${name}`, message: 'You find it under Presets.' });
  };
  return (
    <NameForm
      initial=""
      taken={names}
      replaces
      action="Save preset"
      unavailable={unusable.length > 0}
      onName={save}
      onCancel={onClose}
    >
      <Text size="sm" c="dimmed">
        All parameters are kept but those of this project alone: folders, base model, names, prompts
        and seed.
      </Text>
      {unusable.length > 0 && (
        <Note
          tone="error"
          problem={{
            code: 'parameters_unusable',
            message: `Cannot be saved as it is: ${unusable.map((key) => parameters[key].label).join(', ')}.`,
            hint: 'Correct it in the tab first.',
          }}
        />
      )}
    </NameForm>
  );
}
