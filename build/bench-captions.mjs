// `npm run bench:captions`: how fast captions are made, beside transformers used plainly.
import { whenNodeIsNewEnough } from './setup/node-version.mjs';

whenNodeIsNewEnough(() => import('./setup/commands.mjs')).then(({ benchCaptions }) =>
  benchCaptions(process.argv.slice(2)),
);
