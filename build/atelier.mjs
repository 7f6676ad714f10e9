// `npm run atelier -- plan|train|caption|inspect ...`: set-up, build, and the same services without a window.
import { whenNodeIsNewEnough } from './setup/node-version.mjs';

whenNodeIsNewEnough(() => import('./setup/commands.mjs')).then(({ atelier }) =>
  atelier(process.argv.slice(2)),
);
