// `npm run screenshots`: pictures of every tab from the real app, for the README and for looking at.
import { whenNodeIsNewEnough } from './setup/node-version.mjs';

whenNodeIsNewEnough(() => import('./setup/commands.mjs')).then(({ screenshots }) => screenshots());
