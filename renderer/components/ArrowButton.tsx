import { ActionIcon } from '@mantine/core';
import type { Icon } from '@tabler/icons-react';

interface ArrowButtonProps {
  readonly label: string;
  readonly Arrow: Icon;
  readonly unavailable: boolean;
  readonly onClick: () => void;
}

/**
 * To the next of something. It stays reachable at an end: a button that is disabled under the focus takes the arrow keys
 * away.
 */
export function ArrowButton({ label, Arrow, unavailable, onClick }: ArrowButtonProps) {
  return (
    <ActionIcon
      variant="default"
      size="lg"
      aria-label={label}
      aria-disabled={unavailable}
      onClick={onClick}
    >
      <Arrow size={18} aria-hidden />
    </ActionIcon>
  );
}
