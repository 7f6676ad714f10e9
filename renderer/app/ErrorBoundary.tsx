import { Button, Group, Text, Title } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import type { Problem } from '../../shared/result';
import { call, problemOf } from '../api';
import { attempt } from './notify';

/** The whole window, when there is nothing else to show. */
export function Fatal({ problem }: { readonly problem: Problem }) {
  return (
    <main className="fatal" role="alert">
      <Title order={1} size="h3">
        The window cannot go on
      </Title>
      <Text maw={560}>{problem.message}</Text>
      {problem.hint && (
        <Text maw={560} c="dimmed" size="sm">
          {problem.hint}
        </Text>
      )}
      <Text maw={560} c="dimmed" size="sm">
        A training that runs goes on without the window.
      </Text>
      <Group>
        <Button onClick={() => window.location.reload()}>Reload the window</Button>
        <Button variant="default" onClick={() => attempt(() => call('app:openLogFolder'))}>
          Open log folder
        </Button>
      </Group>
    </main>
  );
}

interface State {
  readonly problem: Problem | null;
}

/** Keeps a mistake in one view from becoming an empty window. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { problem: null };

  static getDerivedStateFromError(thrown: unknown): State {
    return { problem: problemOf(thrown) };
  }

  override render() {
    return this.state.problem === null ? (
      this.props.children
    ) : (
      <Fatal problem={this.state.problem} />
    );
  }
}
