import { Button, Text } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { OwnPreset, PresetKey } from '../../../../shared/preset-values';
import type { Preset } from '../../../../shared/presets';
import { call } from '../../../api';
import { attempt, notifyDone } from '../../../app/notify';
import { configOf, replaceTraining, useProject } from '../../../app/project';
import { Note } from '../../../components/bits';
import { formatQuantity } from '../../../format';
import { ChangeList } from './ChangeList';
import { groupedChanges } from './changes';
import { NameForm } from './NameForm';
import { readOwnPresets, useOwnPresets } from './store';

interface PresetViewProps {
  readonly preset: Preset | OwnPreset;
  readonly onClose: () => void;
}

interface ChangesProps extends PresetViewProps {
  readonly onRename: () => void;
  readonly onDelete: () => void;
}

function Introduction({ preset }: Pick<PresetViewProps, 'preset'>) {
  if ('audience' in preset)
    return (
      <Text size="sm" c="dimmed">
        {preset.audience} {preset.about}
      </Text>
    );
  if (preset.ignored.length === 0) return null;
  return (
    <Note
      tone="warning"
      problem={{
        code: 'preset_values_ignored',
        message: `Left out, since this version cannot use it: ${preset.ignored.join(', ')}.`,
      }}
    />
  );
}

function Changes({ preset, onClose, onRename, onDelete }: ChangesProps) {
  const training = useProject((project) => project.training);
  const config = useMemo(() => configOf(training), [training]);
  const groups = useMemo(() => groupedChanges(preset.values, config), [preset, config]);
  const [leftOut, setLeftOut] = useState<ReadonlySet<PresetKey>>(new Set());
  const keys = groups.flatMap(({ changes }) => changes.map(({ key }) => key));
  const chosen = keys.filter((key) => !leftOut.has(key));

  const apply = () => {
    const values = Object.fromEntries(chosen.map((key) => [key, preset.values[key]]));
    replaceTraining({ ...config, ...values });
    onClose();
    notifyDone({
      title: `Preset applied: ${preset.name}`,
      message: `${formatQuantity(chosen.length, 'parameter')} changed.`,
    });
  };
  return (
    <>
      <Introduction preset={preset} />
      {keys.length === 0 ? (
        <Text size="sm">Nothing would change: all parameters are as it has them.</Text>
      ) : (
        <ChangeList groups={groups} leftOut={leftOut} onLeaveOut={setLeftOut} />
      )}
      <div className="preset-foot">
        <span className="preset-status" role="status">
          {leftOut.size > 0 &&
            `${chosen.length} of ${formatQuantity(keys.length, 'change')} chosen`}
        </span>
        {'ignored' in preset && (
          <>
            <Button variant="subtle" onClick={onRename}>
              Rename…
            </Button>
            <Button variant="subtle" color="red" onClick={onDelete}>
              Delete…
            </Button>
          </>
        )}
        <Button variant="default" onClick={onClose}>
          {keys.length === 0 ? 'Close' : 'Cancel'}
        </Button>
        {keys.length > 0 && (
          <Button disabled={chosen.length === 0} onClick={apply}>
            Apply
          </Button>
        )}
      </div>
    </>
  );
}

interface DeletionProps extends PresetViewProps {
  readonly onKeep: () => void;
}

function Deletion({ preset, onKeep, onClose }: DeletionProps) {
  const [busy, setBusy] = useState(false);
  const remove = async () => {
    await call('presets:delete', { id: preset.id });
    await readOwnPresets();
    onClose();
    notifyDone({ title: `Preset deleted: ${preset.name}`, message: 'The parameters stay.' });
  };
  return (
    <>
      <Text size="sm">Delete this preset for good? The parameters stay as they are.</Text>
      <div className="preset-foot">
        <Button variant="default" autoFocus onClick={onKeep}>
          Keep it
        </Button>
        <Button
          color="red"
          variant="light"
          loading={busy}
          onClick={() => {
            setBusy(true);
            attempt(() => remove().finally(() => setBusy(false)));
          }}
        >
          Delete
        </Button>
      </div>
    </>
  );
}

/** A preset before it is applied: what it would change. The user's own can be renamed and deleted here. */
export function PresetView({ preset, onClose }: PresetViewProps) {
  const [asks, setAsks] = useState<'changes' | 'name' | 'deletion'>('changes');
  const own = useOwnPresets(({ presets }) => presets);
  const back = () => setAsks('changes');
  const rename = async (name: string) => {
    await call('presets:rename', { id: preset.id, name });
    await readOwnPresets();
    onClose();
    notifyDone({ title: `Preset renamed: ${name}`, message: `It was ${preset.name}.` });
  };
  if (asks === 'name')
    return (
      <NameForm
        initial={preset.name}
        taken={own.filter(({ id }) => id !== preset.id).map(({ name }) => name)}
        replaces={false}
        action="Rename"
        onName={rename}
        onCancel={back}
      />
    );
  return (
    <div className="preset-form">
      {asks === 'deletion' ? (
        <Deletion preset={preset} onKeep={back} onClose={onClose} />
      ) : (
        <Changes
          preset={preset}
          onClose={onClose}
          onRename={() => setAsks('name')}
          onDelete={() => setAsks('deletion')}
        />
      )}
    </div>
  );
}
