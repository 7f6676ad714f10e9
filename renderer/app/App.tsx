import { Loader, MantineProvider } from '@mantine/core';
import { useColorScheme } from '@mantine/hooks';
import { Notifications } from '@mantine/notifications';
import { useEffect, useState, type ReactNode } from 'react';
import type { Problem } from '../../shared/result';
import { problemOf } from '../api';
import { cssVariables, theme } from '../theme';
import { boot } from './boot';
import { ErrorBoundary, Fatal } from './ErrorBoundary';
import { Shell } from './Shell';
import { useApp } from './store';

/** Main puts the nonce of the page's style policy here; Mantine's style elements must carry it. */
const styleNonce = (): string =>
  document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? '';

type Boot =
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly problem: Problem };

/** Once a window, however often React mounts the component. */
let booting: Promise<void> | undefined;

function useBoot(): Boot {
  const [state, setState] = useState<Boot>({ kind: 'starting' });
  useEffect(() => {
    booting ??= boot();
    booting.then(
      () => setState({ kind: 'ready' }),
      (thrown: unknown) => setState({ kind: 'failed', problem: problemOf(thrown) }),
    );
  }, []);
  return state;
}

function content(state: Boot): ReactNode {
  switch (state.kind) {
    case 'starting':
      return (
        <div className="fatal">
          <Loader aria-label="Starting" />
        </div>
      );
    case 'failed':
      return <Fatal problem={state.problem} />;
    case 'ready':
      return <Shell />;
  }
}

export function App() {
  const state = useBoot();
  const chosen = useApp((app) => app.theme);
  const system = useColorScheme('light', { getInitialValueInEffect: false });
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      forceColorScheme={chosen === 'system' ? system : chosen}
      getStyleNonce={styleNonce}
    >
      <Notifications position="bottom-right" limit={3} />
      <ErrorBoundary>{content(state)}</ErrorBoundary>
    </MantineProvider>
  );
}
