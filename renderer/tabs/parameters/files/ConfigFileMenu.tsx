import { Button, Menu } from '@mantine/core';
import { IconChevronDown, IconFileText } from '@tabler/icons-react';
import { useCallback, useState } from 'react';
import type { OpenedConfig } from '../../../../shared/parameter-answers';
import { configKinds, type ConfigKind } from '../../../../shared/kohya/config-kinds';
import { call } from '../../../api';
import { attempt, notifyDone } from '../../../app/notify';
import { replaceTraining, useProject } from '../../../app/project';
import { WindowDrop } from '../../../components/Drop';
import { ConfigReport } from './ConfigReport';

const names: Record<ConfigKind, string> = { json: 'Kohya JSON', toml: 'sd-scripts TOML' };

async function choose(): Promise<string | null> {
  const { path } = await call('dialog:choose', {
    kind: 'file',
    title: 'Open a configuration',
    startIn: useProject.getState().training.output_dir?.toString() ?? '',
    extensions: [...configKinds],
  });
  return path;
}

async function save(kind: ConfigKind): Promise<void> {
  const saved = await call('config:save', { draft: useProject.getState().training, kind });
  if (saved === null) return;
  const { path, otherwise } = saved;
  notifyDone({
    title: `Saved as ${names[kind]}`,
    message: otherwise.length === 0 ? path : `${path}\nKohya’s trainer: ${otherwise.join(' ')}`,
  });
}

/** Opens and saves what is on the tab. Nothing is changed before what a file says was seen and agreed to. */
export function ConfigFileMenu() {
  const [opened, setOpened] = useState<OpenedConfig | null>(null);
  const open = useCallback(
    (path: string) => attempt(async () => setOpened(await call('config:open', { path }))),
    [],
  );
  const chooseAndOpen = () =>
    attempt(async () => {
      const path = await choose();
      if (path !== null) open(path);
    });
  const use = ({ name, config }: OpenedConfig) => {
    replaceTraining(config);
    setOpened(null);
    notifyDone({ title: `${name} is in use`, message: 'All parameters are as it says.' });
  };

  return (
    <div className="config-files">
      <Menu position="bottom-start" withArrow>
        <Menu.Target>
          <Button
            variant="default"
            styles={{ label: { flex: 1 } }}
            leftSection={<IconFileText size={16} aria-hidden />}
            rightSection={<IconChevronDown size={16} aria-hidden />}
          >
            Configuration
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={chooseAndOpen}>Open a configuration…</Menu.Item>
          <Menu.Divider />
          {configKinds.map((kind) => (
            <Menu.Item key={kind} onClick={() => attempt(() => save(kind))}>
              Save as {names[kind]}…
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <WindowDrop
        hint="Drop a .json or .toml file to open it as a configuration"
        onPaths={([path]) => path !== undefined && open(path)}
      />
      <ConfigReport opened={opened} onUse={use} onLeave={() => setOpened(null)} />
    </div>
  );
}
