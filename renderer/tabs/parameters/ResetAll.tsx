import { Button, Group, Modal, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconRestore } from '@tabler/icons-react';
import { parameterKeys, type TrainConfig } from '../../../shared/parameters';
import { resetParameters } from '../../app/project';
import { HintedButton } from '../../components/HintedButton';
import { formatQuantity } from '../../format';
import { isChanged } from './shown';

export function ResetAll({ config }: { readonly config: TrainConfig }) {
  const [asking, { open, close }] = useDisclosure(false);
  const changed = parameterKeys.filter((key) => isChanged(key, config));
  const reset = () => {
    resetParameters(changed, 'all parameters');
    close();
  };
  return (
    <>
      <HintedButton
        variant="default"
        className="icon-button"
        aria-label="Reset all"
        hint={
          changed.length === 0
            ? 'All parameters are at their defaults'
            : `Put all back to their defaults: ${changed.length} changed`
        }
        unavailable={changed.length === 0}
        onClick={open}
      >
        <IconRestore size={18} aria-hidden />
      </HintedButton>
      {/* Without Mantine's header, which would be a second banner of the page. */}
      <Modal.Root opened={asking} onClose={close} centered>
        <Modal.Overlay />
        <Modal.Content>
          <Modal.Body className="question">
            <Modal.Title className="main-title">Reset all parameters?</Modal.Title>
            <Text size="sm">
              {formatQuantity(changed.length, 'parameter')} will go back to the default, base model,
              folders and prompts too. Undo brings them back.
            </Text>
            <Group justify="flex-end" gap="sm">
              <Button variant="default" onClick={close} data-autofocus>
                Keep them
              </Button>
              <Button onClick={reset}>Reset all</Button>
            </Group>
          </Modal.Body>
        </Modal.Content>
      </Modal.Root>
    </>
  );
}
