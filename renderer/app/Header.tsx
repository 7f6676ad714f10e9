import { ActionIcon, Badge, Menu, SegmentedControl, Tooltip, VisuallyHidden } from '@mantine/core';
import {
  IconDeviceDesktop,
  IconFolder,
  IconHelp,
  IconMoon,
  IconSun,
  type Icon,
} from '@tabler/icons-react';
import { themes, type Theme } from '../../shared/settings';
import { call } from '../api';
import { baseName } from '../format';
import { attempt } from './notify';
import { useProject } from './project';
import { useApp } from './store';

const themeLooks: Record<Theme, { readonly label: string; readonly Icon: Icon }> = {
  system: { label: 'As the system', Icon: IconDeviceDesktop },
  light: { label: 'Light', Icon: IconSun },
  dark: { label: 'Dark', Icon: IconMoon },
};

function ThemeSwitch() {
  const theme = useApp((app) => app.theme);
  return (
    <SegmentedControl
      size="xs"
      aria-label="Theme"
      value={theme}
      onChange={(value) => useApp.setState({ theme: value })}
      data={themes.map((name) => {
        const { label, Icon } = themeLooks[name];
        return {
          value: name,
          label: (
            <span className="theme-option" title={label}>
              <Icon size={16} aria-hidden />
              <VisuallyHidden>{label}</VisuallyHidden>
            </span>
          ),
        };
      })}
    />
  );
}

function ProjectPlace() {
  const destination = useProject((project) => project.dataset.destination);
  if (destination === '') return <span className="project-place">No project folder yet</span>;
  return (
    <span className="project-place" title={destination}>
      <IconFolder size={16} aria-hidden />
      {baseName(destination)}
    </span>
  );
}

function Runtime() {
  const stand = useApp((app) => app.info?.fallbackRuntime ?? false);
  const electron = useApp((app) => app.info?.electron);
  if (!stand) return null;
  return (
    <Tooltip
      label={`The current Electron could not be downloaded, so this window runs on the older ${electron}. It is meant for trying out.`}
    >
      <Badge variant="default" size="lg" className="runtime-badge" tabIndex={0}>
        Trial runtime
      </Badge>
    </Tooltip>
  );
}

function HelpMenu() {
  const info = useApp((app) => app.info);
  return (
    <Menu position="bottom-end" withArrow>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Help">
          <IconHelp size={20} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          LoRA Atelier {info?.version}, Electron {info?.electron}
        </Menu.Label>
        <Menu.Item onClick={() => attempt(() => call('app:openLogFolder'))}>
          Open log folder
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

export function Header() {
  return (
    <header className="header">
      <h1 className="brand">
        <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden className="brand-mark">
          <circle cx="12" cy="12" r="11" />
          <path d="M12 5v14M7 8v8M17 8v8" />
        </svg>
        LoRA Atelier
      </h1>
      <ProjectPlace />
      <div className="header-end">
        <Runtime />
        <ThemeSwitch />
        <HelpMenu />
      </div>
    </header>
  );
}
