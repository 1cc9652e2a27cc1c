/** A picture of a terminal, from what tmux captures with colours. */
const CELL = { width: 8.4, height: 18 } as const;
const PADDING = 14;
const BACKGROUND = "#16181d";

/** Colours of SGR codes; 39 is the usual one. */
const COLOURS: Readonly<Record<string, string>> = {
  "31": "#ff6b6b",
  "32": "#7bd88f",
  "33": "#f4bf75",
  "36": "#6ec6e6",
  "39": "#e6e6e6",
};

interface Span {
  readonly column: number;
  readonly text: string;
  readonly colour: string;
  readonly isBold: boolean;
  readonly isDim: boolean;
}

/** @param capture of `tmux capture-pane -p -e` */
export function screenSvg(capture: string, columns: number): string {
  const rows = capture.trimEnd().split("\n");
  const width = Math.ceil(columns * CELL.width + 2 * PADDING);
  const height = rows.length * CELL.height + 2 * PADDING;
  const lines = rows.map((row, i) => {
    const y = PADDING + (i + 0.75) * CELL.height;
    return spansOf(row)
      .map((span) => textElement(span, y))
      .join("\n");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>
${lines.filter((line) => line !== "").join("\n")}
</svg>
`;
}

function textElement({ column, text, colour, isBold, isDim }: Span, y: number): string {
  const x = (PADDING + column * CELL.width).toFixed(1);
  const length = (text.length * CELL.width).toFixed(1);
  const weight = `${isBold ? ' font-weight="bold"' : ""}${isDim ? ' opacity="0.6"' : ""}`;
  const shown = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x}" y="${y}" fill="${colour}" textLength="${length}" lengthAdjust="spacingAndGlyphs" xml:space="preserve"${weight}>${shown}</text>`;
}

function spansOf(row: string): Span[] {
  const spans: Span[] = [];
  let style = { colour: COLOURS["39"] ?? "", isBold: false, isDim: false };
  let column = 0;
  // eslint-disable-next-line no-control-regex
  for (const [, codes, text = ""] of row.matchAll(/(?:\u001b\[([\d;]*)m)|([^\u001b]+)/g)) {
    if (codes === undefined) {
      if (text.trim() !== "") spans.push({ column, text, ...style });
      column += text.length;
      continue;
    }
    for (const code of codes.split(";")) {
      if (code === "0" || code === "")
        style = { colour: COLOURS["39"] ?? "", isBold: false, isDim: false };
      else if (code === "1") style = { ...style, isBold: true };
      else if (code === "2") style = { ...style, isDim: true };
      else if (code === "22") style = { ...style, isBold: false, isDim: false };
      else style = { ...style, colour: COLOURS[code] ?? style.colour };
    }
  }
  return spans;
}
