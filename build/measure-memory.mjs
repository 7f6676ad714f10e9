// `npm run measure:memory`: set-up, then what trainings of a full-size SDXL need of this machine's memory.
import { whenNodeIsNewEnough } from './setup/node-version.mjs';

whenNodeIsNewEnough(() => import('./setup/commands.mjs')).then(({ measureMemory }) =>
  measureMemory(process.argv.slice(2)),
);
