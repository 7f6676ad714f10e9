// `npm run build`: set-up and the bundles in dist/, without starting anything.
import { whenNodeIsNewEnough } from './setup/node-version.mjs';

whenNodeIsNewEnough(() => import('./setup/commands.mjs')).then(({ build }) => build());
