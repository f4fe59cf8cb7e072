/** Horizontal bars as one SVG file; no scripts, no fonts to load, readable on light and dark pages. */

import type { Chart } from "./section.ts";

const WIDTH = 860;
const LABEL_WIDTH = 310;
const VALUE_WIDTH = 90;
const BAR_HEIGHT = 16;
const ROW_HEIGHT = 22;
const TITLE_HEIGHT = 36;

/** One chart under the other; each with a scale of its own from zero to its longest bar. */
export function barChart(charts: readonly Chart[]): string {
  const parts: string[] = [];
  let top = 8;
  for (const chart of charts) {
    parts.push(`<text class="title" x="8" y="${top + 22}">${escaped(chart.title)}</text>`);
    top += TITLE_HEIGHT;
    const longest = Math.max(...chart.bars.map(({ value }) => finite(value)), Number.MIN_VALUE);
    for (const { label, value, text, ours } of chart.bars) {
      const length = (finite(value) / longest) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH);
      const middle = top + BAR_HEIGHT - 4;
      parts.push(
        `<text class="label" x="${LABEL_WIDTH - 8}" y="${middle}">${escaped(label)}</text>`,
        `<rect class="${ours ? "ours" : "peer"}" x="${LABEL_WIDTH}" y="${top}" width="${length.toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`,
        `<text x="${(LABEL_WIDTH + length + 6).toFixed(1)}" y="${middle}">${escaped(text)}</text>`,
      );
      top += ROW_HEIGHT;
    }
    top += 10;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img" aria-label="Benchmark results; the figures are in benchmarks.md">`,
    `<style>${STYLE}</style>`,
    `<rect class="page" width="${WIDTH}" height="${top}"/>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

const STYLE = [
  "text{font:12px system-ui,sans-serif;fill:#1f2328}",
  ".title{font-size:14px;font-weight:600}",
  ".label{text-anchor:end}",
  ".page{fill:#fff}",
  ".ours{fill:#0969da}",
  ".peer{fill:#afb8c1}",
  "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}.ours{fill:#58a6ff}.peer{fill:#6e7681}}",
].join("");

/** What could not be measured has no bar. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
