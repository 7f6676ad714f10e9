import { Modal } from '@mantine/core';
import type { OwnPreset } from '../../../../shared/preset-values';
import type { Preset } from '../../../../shared/presets';
import { PresetView } from './PresetView';
import { SavePreset } from './SavePreset';

/** A preset to be looked at, or the saving of a new one. */
export type Asked = Preset | OwnPreset | 'save';

interface PresetDialogProps {
  readonly asked: Asked;
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly onClosed: () => void;
}

/** Not Mantine's own header: a second banner of the page to a screen reader. */
export function PresetDialog({ asked, opened, onClose, onClosed }: PresetDialogProps) {
  return (
    <Modal.Root
      opened={opened}
      onClose={onClose}
      size={asked === 'save' ? 'md' : 'lg'}
      centered
      // The item that opened it is gone with the menu.
      returnFocus={false}
      onExitTransitionEnd={onClosed}
      // Nothing behind it scrolls, and the lock would need a style element without a nonce.
      lockScroll={false}
    >
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body>
          <div className="preset-head">
            <Modal.Title className="main-title">
              {asked === 'save' ? 'Save as a preset' : asked.name}
            </Modal.Title>
            <Modal.CloseButton aria-label="Close" />
          </div>
          {asked === 'save' ? (
            <SavePreset onClose={onClose} />
          ) : (
            <PresetView key={asked.id} preset={asked} onClose={onClose} />
          )}
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
