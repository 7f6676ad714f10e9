// What the Python types are generated from, in one module, so that no schema is made twice.
export * as jobs from './protocol';
export * as pictures from './picture-protocol';
export * as worker from './worker-protocol';
