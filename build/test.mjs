// `npm test`: set-up, then every check and every suite. `npm test -- --only unit,python` runs some of them.
import { whenNodeIsNewEnough } from './setup/node-version.mjs';

whenNodeIsNewEnough(() => import('./setup/commands.mjs')).then(({ test }) =>
  test(process.argv.slice(2)),
);
