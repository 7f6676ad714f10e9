// `npm start`: set-up, build, and the app. Arguments go to Electron.
import { whenNodeIsNewEnough } from './setup/node-version.mjs';

whenNodeIsNewEnough(() => import('./setup/commands.mjs')).then(({ start }) =>
  start(process.argv.slice(2)),
);
