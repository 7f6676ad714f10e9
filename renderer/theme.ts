import {
  createTheme,
  type CSSVariablesResolver,
  type MantineColorsTuple,
  type MantineThemeOverride,
} from '@mantine/core';

/** One accent among neutral greys, so that the photos keep the colour. */
const petrol: MantineColorsTuple = [
  '#e8f6f5',
  '#cfeae8',
  '#a3d6d3',
  '#73c0bc',
  '#4cada9',
  '#2f9b97',
  '#1f8783',
  '#12716e',
  '#0b5c5a',
  '#064645',
];

const gray: MantineColorsTuple = [
  '#f7f7f6',
  '#efefed',
  '#e6e6e3',
  '#dadad6',
  '#c8c8c4',
  '#a9aaa8',
  '#696b70',
  '#5d6068',
  '#3f4147',
  '#1f2023',
];

const dark: MantineColorsTuple = [
  '#e6e6e4',
  '#c4c6c9',
  '#a6a9ae',
  '#7d8187',
  '#3a3d42',
  '#2e3135',
  '#232528',
  '#1b1d1f',
  '#151618',
  '#0f1011',
];

export const theme: MantineThemeOverride = createTheme({
  primaryColor: 'petrol',
  primaryShade: 7,
  colors: { petrol, gray, dark },
  defaultRadius: 8,
  fontFamily: '"Inter Variable", system-ui, "Segoe UI", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: '600' },
  respectReducedMotion: true,
  cursorType: 'pointer',
  components: {
    Tooltip: {
      defaultProps: { withArrow: true, multiline: true, maw: 320, openDelay: 250, p: 'xs' },
    },
    Badge: { styles: { root: { textTransform: 'none', fontWeight: 500 } } },
    Button: { defaultProps: { size: 'sm' } },
    Progress: { defaultProps: { size: 'sm', radius: 'xl' } },
  },
});

/** Badges and quiet buttons: a tint of the colour with text that can be read on it. */
const lightVariant = (color: string, fill: string, hover: string, text: string) => ({
  [`--mantine-color-${color}-light`]: fill,
  [`--mantine-color-${color}-light-hover`]: hover,
  [`--mantine-color-${color}-light-color`]: text,
});

/** Mantine's dimmed, placeholder and error colours miss the contrast of 4.5 that small text needs. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-text': '#1f2023',
    '--mantine-color-dimmed': '#5d6068',
    '--mantine-color-placeholder': '#6c6f77',
    '--mantine-color-error': '#b3261e',
    '--mantine-color-default-border': '#cfcfcb',
    ...lightVariant('petrol', '#e1f1f0', '#d3eae8', '#0b5c5a'),
    ...lightVariant('red', '#fcefed', '#f8e2df', '#a3221b'),
    ...lightVariant('yellow', '#fdf4e1', '#f9ebcb', '#7a5000'),
  },
  dark: {
    '--mantine-color-body': '#1b1d1f',
    '--mantine-color-text': '#e6e6e4',
    '--mantine-color-dimmed': '#a6a9ae',
    '--mantine-color-placeholder': '#8d9197',
    '--mantine-color-error': '#ff8f85',
    '--mantine-color-default-border': '#3f4247',
    ...lightVariant('petrol', '#17302f', '#1d3c3b', '#8fd0cc'),
    ...lightVariant('red', '#36201f', '#432725', '#ff9d94'),
    ...lightVariant('yellow', '#322a19', '#3e341f', '#e5b45c'),
  },
});
