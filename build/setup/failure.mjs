/** A failure that a person can do something about: one sentence, and what to do next. */
export class SetupFailure extends Error {
  constructor(message, hint) {
    super(message);
    this.name = 'SetupFailure';
    this.hint = hint;
  }
}

const causes = [
  {
    pattern: /ENOSPC|no space left on device|not enough space on the disk/iu,
    message: (what) => `The disk became full during: ${what}.`,
    hint: 'Free some space and run the command again: it goes on where it stopped.',
  },
  {
    pattern: new RegExp(
      [
        'EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|EHOSTUNREACH', // npm
        'NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError', // pip
        'Temporary failure in name resolution|Temporary failure resolving|Network is unreachable', // apt
      ].join('|'),
      'u',
    ),
    message: (what) => `The network could not be reached during: ${what}.`,
    hint: 'Check the connection (and the proxy settings, if there is one), then run the command again: it goes on where it stopped.',
  },
  {
    pattern: /EACCES|EPERM|Permission denied/u,
    message: (what) => `A file or folder may not be written during: ${what}.`,
    hint: 'Run the command as the user who owns this folder, or make the folder writable.',
  },
];

/** What went wrong, from what a failed program printed. The end of its output follows where it says more than we can. */
export function explain(what, output) {
  const cause = causes.find(({ pattern }) => pattern.test(output));
  if (cause !== undefined) return new SetupFailure(cause.message(what), cause.hint);
  return new SetupFailure(`This step failed: ${what}.`, `It said:\n${gist(output)}`);
}

/** The lines that name errors, or where there are none the last ones. */
function gist(output) {
  const lines = output.trim().split('\n');
  const errors = lines.filter((line) => /^(npm error|error|E:|\w*Error\b)/iu.test(line));
  return (errors.length > 0 ? errors.slice(0, 12) : lines.slice(-12)).join('\n');
}
