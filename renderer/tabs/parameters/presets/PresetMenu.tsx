import { Button, Menu } from '@mantine/core';
import { IconAdjustments, IconChevronDown, IconDeviceFloppy } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { presetFamilies } from '../../../../shared/presets';
import { attempt } from '../../../app/notify';
import { PresetDialog, type Asked } from './PresetDialog';
import { readOwnPresets, useOwnPresets } from './store';

interface ItemsProps {
  readonly onAsk: (asked: Asked) => void;
}

function Items({ onAsk }: ItemsProps) {
  const own = useOwnPresets(({ presets }) => presets);
  return (
    <>
      <div className="preset-items">
        {presetFamilies.map(({ title, presets }) => (
          <div key={title} role="group" aria-label={title}>
            <Menu.Label>{title}</Menu.Label>
            {presets.map((preset) => (
              <Menu.Item key={preset.id} onClick={() => onAsk(preset)}>
                {preset.name}
                <span className="preset-audience">{preset.audience}</span>
              </Menu.Item>
            ))}
          </div>
        ))}
        {own.length > 0 && (
          <div role="group" aria-label="Your own">
            <Menu.Label>Your own</Menu.Label>
            {own.map((preset) => (
              <Menu.Item key={preset.id} onClick={() => onAsk(preset)}>
                {preset.name}
              </Menu.Item>
            ))}
          </div>
        )}
      </div>
      <Menu.Divider />
      <Menu.Item
        leftSection={<IconDeviceFloppy size={16} aria-hidden />}
        onClick={() => onAsk('save')}
      >
        Save these parameters as a preset…
      </Menu.Item>
    </>
  );
}

/** All presets, each shown with what it would change before it is applied. */
export function PresetMenu() {
  const button = useRef<HTMLButtonElement>(null);
  // What was asked stays in sight while the dialog closes.
  const [asked, setAsked] = useState<Asked>('save');
  const [opened, setOpened] = useState(false);
  const read = () => attempt(readOwnPresets);
  useEffect(read, []);
  return (
    <>
      <Menu
        position="bottom-start"
        width={440}
        // In the landmark of its button, and at the first item at once, as a menu is expected to be.
        withinPortal={false}
        withInitialFocusPlaceholder={false}
        // What scrolls must be reached by Tab too.
        menuItemTabIndex={0}
        onOpen={read}
      >
        <Menu.Target>
          <Button
            ref={button}
            variant="default"
            className="preset-open"
            leftSection={<IconAdjustments size={16} aria-hidden />}
            rightSection={<IconChevronDown size={16} aria-hidden />}
          >
            Presets
          </Button>
        </Menu.Target>
        <Menu.Dropdown className="preset-menu">
          <Items
            onAsk={(next) => {
              setAsked(next);
              setOpened(true);
            }}
          />
        </Menu.Dropdown>
      </Menu>
      <PresetDialog
        asked={asked}
        opened={opened}
        onClose={() => setOpened(false)}
        onClosed={() => button.current?.focus()}
      />
    </>
  );
}
