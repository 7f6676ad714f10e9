// Default app of the fallback runtime (Electron 22, Node 16): does what Electron's own default app does, and adds the
// newer APIs that the product uses.
'use strict';

const { app } = require('electron');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { installStatfs } = require('./statfs.js');
const { installWebTypes } = require('./web-types.js');
const { installProtocolHandle } = require('./protocol-handle.js');

/** The first argument that is not a switch, as in `electron [switches] <folder of the application> [arguments]`. */
function findApp(argv) {
  const folder = argv.slice(1).find((argument) => !argument.startsWith('-'));
  if (folder === undefined)
    throw new Error('Usage: electron [switches] <folder of the application>');
  return path.resolve(folder);
}

/** Makes `require('electron').webUtils` exist in every preload. */
function installWebUtils() {
  app.on('session-created', (session) => {
    session.setPreloads([path.join(__dirname, 'web-utils-preload.js'), ...session.getPreloads()]);
  });
}

async function start() {
  const appPath = findApp(process.argv);
  const manifest = require(path.join(appPath, 'package.json'));
  process.defaultApp = true;
  app.setName(manifest.productName ?? manifest.name);
  app.setVersion(manifest.version);
  app.setPath('userData', path.join(app.getPath('appData'), app.getName()));
  app.setAppPath(appPath);
  installStatfs();
  installWebTypes();
  installProtocolHandle();
  installWebUtils();
  const main = path.join(appPath, manifest.main);
  if (main.endsWith('.cjs')) require(main);
  else await import(pathToFileURL(main).href);
}

start().catch((error) => {
  console.error(error);
  app.exit(1);
});
