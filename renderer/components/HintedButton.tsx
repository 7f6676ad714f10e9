import { Button, Tooltip, type ButtonProps } from '@mantine/core';
import type { ReactNode } from 'react';

interface HintedButtonProps extends Omit<ButtonProps, 'disabled'> {
  /** What it does, or why it cannot be pressed. */
  readonly hint: string;
  readonly unavailable?: boolean;
  readonly 'aria-label'?: string;
  readonly onClick: () => void;
  readonly children: ReactNode;
}

/** A button that says what it does to whoever points at it or comes to it by keyboard, also while it cannot be pressed. */
export function HintedButton({ hint, unavailable = false, onClick, ...rest }: HintedButtonProps) {
  return (
    <Tooltip label={hint} events={{ hover: true, focus: true, touch: false }}>
      <Button
        {...rest}
        {...(unavailable && { 'data-disabled': true, 'aria-disabled': true })}
        onClick={() => {
          if (!unavailable) onClick();
        }}
      />
    </Tooltip>
  );
}
