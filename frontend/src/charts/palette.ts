/** The library draws on a canvas and takes no CSS variables and no `light-dark()`: the tokens of styles.css once more. */
export const PALETTE = {
  light: { panel: "#ffffff", text: "#56606a", grid: "#eceef0", up: "#08734b", down: "#c4213a", warn: "#855600", accent: "#1d4ed8", dim: "#56606a", volume: "#56606a2e" },
  dark: { panel: "#101418", text: "#8f9ba6", grid: "#1a2026", up: "#2ebd85", down: "#f6607a", warn: "#e8b10f", accent: "#6ea3ff", dim: "#8f9ba6", volume: "#8f9ba62e" },
} as const;
export type Palette = (typeof PALETTE)[keyof typeof PALETTE];
