interface Row {
  readonly permission: string;
  readonly reason: string;
}

/** All else that a page can ask for is denied: camera, microphone, position, notifications, devices, ... */
export const grantedPermissions: readonly Row[] = [
  {
    permission: 'clipboard-sanitized-write',
    reason: 'Copying the console, a path or an error text with a button.',
  },
];

export const isGranted = (permission: string): boolean =>
  grantedPermissions.some((row) => row.permission === permission);
