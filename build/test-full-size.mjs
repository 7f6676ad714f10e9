// `npm run test:full-size`: set-up, then two training steps on a full-size SDXL, on the CPU.
import { whenNodeIsNewEnough } from './setup/node-version.mjs';

whenNodeIsNewEnough(() => import('./setup/commands.mjs')).then(({ testFullSize }) =>
  testFullSize(process.argv.slice(2)),
);
