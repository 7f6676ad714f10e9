'use strict';

const { app, net, protocol, session } = require('electron');
const { createReadStream } = require('node:fs');
const { stat } = require('node:fs/promises');
const { Readable } = require('node:stream');
const { fileURLToPath } = require('node:url');

/** `protocol.handle(scheme, request => Response)` on top of `registerStreamProtocol`, for every session. */
function installProtocolHandle() {
  app.on('session-created', (created) => {
    const { protocol: ofSession } = created;
    ofSession.handle = (scheme, handler) => handle(ofSession, scheme, handler);
    ofSession.unhandle = (scheme) => ofSession.unregisterProtocol(scheme);
    ofSession.isProtocolHandled = (scheme) => ofSession.isProtocolRegistered(scheme);
  });
  for (const name of ['handle', 'unhandle', 'isProtocolHandled']) {
    protocol[name] = (...args) => session.defaultSession.protocol[name](...args);
  }
  net.fetch = fetchFile;
}

function handle(ofSession, scheme, handler) {
  const registered = ofSession.registerStreamProtocol(scheme, async (asked, callback) => {
    try {
      const { url, method, headers } = asked;
      const response = await handler(new Request(url, { method, headers }));
      callback({
        statusCode: response.status,
        headers: Object.fromEntries(response.headers),
        data: response.body === null ? Readable.from([]) : Readable.from(response.body),
      });
    } catch (error) {
      console.error(error);
      callback({ error: -2 }); // net::ERR_FAILED
    }
  });
  if (!registered) throw new Error(`Failed to register protocol: ${scheme}`);
}

/** `net.fetch` for `file:` addresses; the product asks for nothing else. */
async function fetchFile(url) {
  const file = fileURLToPath(String(url));
  const { size } = await stat(file);
  const body = Readable.from(createReadStream(file));
  return new Response(body, { headers: { 'content-length': String(size) } });
}

module.exports = { installProtocolHandle };
