// `npm run bench:ui`: how fast the real app is with ten thousand photos.
import { whenNodeIsNewEnough } from './setup/node-version.mjs';

whenNodeIsNewEnough(() => import('./setup/commands.mjs')).then(({ benchUi }) => benchUi());
