// `npm run build:tiny-world`: set-up, then the tiny world's models are trained from nothing.
import { whenNodeIsNewEnough } from './setup/node-version.mjs';

whenNodeIsNewEnough(() => import('./setup/commands.mjs')).then(({ buildTinyWorld }) =>
  buildTinyWorld(process.argv.slice(2)),
);
