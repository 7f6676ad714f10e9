// `statfs` of node:fs/promises, which Node has since 18.15: the free space of a disk, asked of df.
'use strict';

const { execFile } = require('node:child_process');
const promises = require('node:fs/promises');
const { promisify } = require('node:util');

const run = promisify(execFile);

async function statfs(path) {
  const { stdout } = await run('df', ['-Pk', '--', path]);
  const [, blocks, , available] = stdout.trim().split('\n').pop().split(/\s+/);
  return { bsize: 1024, blocks: Number(blocks), bavail: Number(available) };
}

function installStatfs() {
  promises.statfs ??= statfs;
}

module.exports = { installStatfs };
