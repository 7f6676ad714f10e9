// The part of the web's Response, Request and Headers that a `protocol.handle` handler uses, where Node has none.
'use strict';

const { ReadableStream } = require('node:stream/web');

class Headers {
  #values = new Map();

  constructor(init = {}) {
    for (const [name, value] of Symbol.iterator in init ? init : Object.entries(init)) {
      this.append(name, value);
    }
  }

  append(name, value) {
    const before = this.get(name);
    this.set(name, before === null ? value : `${before}, ${value}`);
  }

  set(name, value) {
    this.#values.set(name.toLowerCase(), String(value));
  }

  get(name) {
    return this.#values.get(name.toLowerCase()) ?? null;
  }

  has(name) {
    return this.#values.has(name.toLowerCase());
  }

  delete(name) {
    this.#values.delete(name.toLowerCase());
  }

  [Symbol.iterator]() {
    return this.#values.entries();
  }
}

class Request {
  constructor(url, { method = 'GET', headers } = {}) {
    this.url = url;
    this.method = method;
    this.headers = new Headers(headers);
  }
}

/** Something that gives chunks of bytes, from any body that a Response takes. */
function chunksOf(body) {
  if (typeof body === 'string') return [Buffer.from(body)];
  if (body instanceof ArrayBuffer) return [Buffer.from(body)];
  if (ArrayBuffer.isView(body)) return [Buffer.from(body.buffer, body.byteOffset, body.byteLength)];
  return body;
}

class Response {
  constructor(body = null, { status = 200, statusText = '', headers } = {}) {
    this.status = status;
    this.statusText = statusText;
    this.headers = new Headers(headers);
    this.body = body === null ? null : chunksOf(body);
    if (typeof body === 'string' && !this.headers.has('content-type')) {
      this.headers.set('content-type', 'text/plain;charset=UTF-8');
    }
  }

  static error() {
    throw new Error('The handler answered with a network error.');
  }

  static json(value, init) {
    const response = new Response(JSON.stringify(value), init);
    response.headers.set('content-type', 'application/json');
    return response;
  }

  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  async arrayBuffer() {
    const chunks = [];
    for await (const chunk of this.body ?? []) chunks.push(Buffer.from(chunk));
    return new Uint8Array(Buffer.concat(chunks)).buffer;
  }

  async text() {
    return Buffer.from(await this.arrayBuffer()).toString('utf8');
  }
}

/** Adds what is missing to the globals of the main process. */
function installWebTypes() {
  for (const [name, value] of Object.entries({ Headers, Request, Response, ReadableStream })) {
    globalThis[name] ??= value;
  }
}

module.exports = { installWebTypes };
