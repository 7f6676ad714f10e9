// `npm run quality`: set-up, then what the trainer teaches, measured on the tiny world.
import { whenNodeIsNewEnough } from './setup/node-version.mjs';

whenNodeIsNewEnough(() => import('./setup/commands.mjs')).then(({ quality }) =>
  quality(process.argv.slice(2)),
);
