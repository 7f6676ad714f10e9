import { app, session, type WebContents } from 'electron';
import { mayNavigate, windowOpenAnswer } from './navigation';
import { isGranted } from './permissions';

/** Puts the policies on every page and session that the app will ever have. Call before any window is made. */
export function enforcePolicies(): void {
  app.on('web-contents-created', (_event, contents) => guard(contents));
  const { defaultSession } = session;
  defaultSession.setPermissionRequestHandler((_contents, permission, answer) =>
    answer(isGranted(permission)),
  );
  defaultSession.setPermissionCheckHandler((_contents, permission) => isGranted(permission));
}

function guard(contents: WebContents): void {
  contents.on('will-navigate', (event, url) => {
    if (!mayNavigate(contents.getURL(), url)) event.preventDefault();
  });
  contents.on('will-redirect', (event) => event.preventDefault());
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(() => windowOpenAnswer);
}
