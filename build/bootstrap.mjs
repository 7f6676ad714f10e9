// Set-up from nothing but Node, Python and the system's package manager. A stage that is done costs next to nothing.
//   node build/bootstrap.mjs           what `npm start` needs here
//   node build/bootstrap.mjs --tests   what `npm test` needs
import { whenNodeIsNewEnough } from './setup/node-version.mjs';

whenNodeIsNewEnough(() => import('./setup/commands.mjs')).then(({ setUp }) =>
  setUp({ tests: process.argv.includes('--tests') }),
);
