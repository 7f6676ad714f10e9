import { Button, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import { problemOf } from '../api';

export function notifyProblem(thrown: unknown): void {
  const problem = problemOf(thrown);
  notifications.show({
    color: 'red',
    icon: <IconAlertTriangle size={18} aria-hidden />,
    title: problem.message,
    message: problem.hint ?? null,
    autoClose: 12_000,
    role: 'alert',
    closeButtonProps: { 'aria-label': 'Dismiss' },
  });
}

interface NextStep {
  readonly title: string;
  readonly message: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

/** One at a time: a newer "done" makes the older one stale. */
const DONE = 'done';

export const dismissDone = (): string => notifications.hide(DONE);

export function notifyDone({ title, message, action }: NextStep): void {
  const run = () => {
    dismissDone();
    action?.run();
  };
  dismissDone();
  notifications.show({
    id: DONE,
    icon: <IconCheck size={18} aria-hidden />,
    title,
    message: (
      <Stack gap={8} align="flex-start">
        <Text size="sm">{message}</Text>
        {action && (
          <Button size="compact-sm" variant="light" onClick={run}>
            {action.label}
          </Button>
        )}
      </Stack>
    ),
    autoClose: 12_000,
    closeButtonProps: { 'aria-label': 'Dismiss' },
  });
}

/** For event handlers: what goes wrong is shown, never swallowed. */
export function attempt(work: () => Promise<unknown>): void {
  work().catch(notifyProblem);
}
