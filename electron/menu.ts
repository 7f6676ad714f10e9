import { Menu, type MenuItemConstructorOptions } from 'electron';
import { isMac } from './lib/platform';

/** The system's usual menus, by role. */
export function installMenu(actions: { readonly openLogFolder: () => void }): void {
  const template: MenuItemConstructorOptions[] = [
    ...(isMac ? [{ role: 'appMenu' } as const] : []),
    { role: 'fileMenu' },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
        { role: 'toggleDevTools' },
      ],
    },
    { role: 'windowMenu' },
    { role: 'help', submenu: [{ label: 'Open log folder', click: actions.openLogFolder }] },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
