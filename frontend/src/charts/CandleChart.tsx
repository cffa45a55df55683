// The only file that knows the chart library; it is loaded only where a chart stands.
import {
  CandlestickSeries, ColorType, createChart, createSeriesMarkers, CrosshairMode, HistogramSeries, LineStyle,
  type CandlestickData, type HistogramData, type SeriesMarker, type Time, type UTCTimestamp, type WhitespaceData,
} from "lightweight-charts";
import { useEffect, useRef } from "react";
import { amount, time } from "../format";
import { useTheme } from "../theme";
import type { Bar, ChartLine, ChartMark, ListingChart } from "../types";
import { LINES } from "./lines";
import { PALETTE, type Palette } from "./palette";

const seconds = (at: string) => Math.floor(time(at) / 1000) as UTCTimestamp;
const places = (text: string) => text.split(".")[1]?.length ?? 0;

/** One slot a second while bars are of a second: a second without a trade stays empty instead of vanishing. */
function slots(bars: Bar[]): (CandlestickData<UTCTimestamp> | WhitespaceData<UTCTimestamp>)[] {
  const drawn: (CandlestickData<UTCTimestamp> | WhitespaceData<UTCTimestamp>)[] = [];
  let next = 0;
  for (const bar of bars) {
    const at = seconds(bar.at);
    if (bar.seconds === 1 && next) for (let gap = next; gap < at; gap += 1) drawn.push({ time: gap as UTCTimestamp });
    if (at < next) continue;
    drawn.push({ time: at, open: Number(bar.open), high: Number(bar.high), low: Number(bar.low), close: Number(bar.close) });
    next = at + 1;
  }
  return drawn;
}

function markers(marks: ChartMark[], bars: Bar[], colours: Palette): SeriesMarker<Time>[] {
  return marks.flatMap((mark) => {
    const bar = bars.findLast((known) => time(known.at) <= time(mark.at)) ?? bars[0];
    if (!bar) return [];
    const bought = mark.side === "buy";
    return [{
      time: seconds(bar.at), position: bought ? "belowBar" as const : "aboveBar" as const, shape: bought ? "arrowUp" as const : "arrowDown" as const,
      color: bought ? colours.accent : colours.warn, text: `${bought ? "Buy" : "Sell"} ${amount(mark.quantity)}`,
    }];
  });
}

function priceLine({ kind, price, done }: ChartLine, colours: Palette) {
  const { title, tone, dotted } = LINES[kind];
  return {
    price: Number(price), color: done ? `${colours[tone]}99` : colours[tone], lineWidth: 1 as const, title,
    lineStyle: dotted ? LineStyle.Dotted : LineStyle.Dashed, axisLabelVisible: !done,
  };
}

/** `window`: seconds from the first bar that are in view; null: all. */
export default function CandleChart({ chart, window: span, label }: { chart: ListingChart; window: number | null; label: string }) {
  const place = useRef<HTMLDivElement>(null);
  const drawing = useRef<ReturnType<typeof draw> | null>(null);
  const theme = useTheme();
  useEffect(() => {
    if (!place.current) return;
    const made = draw(place.current, PALETTE[theme]);
    drawing.current = made;
    return () => {
      drawing.current = null;
      made.remove();
    };
  }, [theme]);
  useEffect(() => drawing.current?.show(chart, PALETTE[theme]), [chart, theme]);
  const first = chart.bars[0]?.at;
  useEffect(() => drawing.current?.look(chart.bars, span), [span, theme, first]);
  return <div ref={place} role="img" aria-label={label} className="h-[340px] w-full max-sm:h-[260px]" />;
}

function draw(place: HTMLElement, colours: Palette) {
  const chart = createChart(place, {
    autoSize: true,
    layout: { background: { type: ColorType.Solid, color: colours.panel }, textColor: colours.text, fontFamily: '"Inter Variable", system-ui, sans-serif', fontSize: 11, attributionLogo: false },
    grid: { vertLines: { visible: false }, horzLines: { color: colours.grid } },
    rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.12, bottom: 0.2 } },
    timeScale: { borderVisible: false, timeVisible: true, secondsVisible: true, minBarSpacing: 0.5 },
    crosshair: { mode: CrosshairMode.Normal },
    // A wheel over the chart scrolls the page: zooming is what the buttons are for.
    handleScroll: { mouseWheel: false, pressedMouseMove: true, horzTouchDrag: true, vertTouchDrag: false },
    handleScale: { mouseWheel: false, pinch: true, axisPressedMouseMove: true },
  });
  const candles = chart.addSeries(CandlestickSeries, {
    upColor: colours.up, downColor: colours.down, wickUpColor: colours.up, wickDownColor: colours.down, borderVisible: false, priceLineStyle: LineStyle.Dotted,
  });
  const volume = chart.addSeries(HistogramSeries, { priceScaleId: "volume", color: colours.volume, priceLineVisible: false, lastValueVisible: false });
  chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.86, bottom: 0 } });
  const marked = createSeriesMarkers(candles, []);
  let lines: ReturnType<typeof candles.createPriceLine>[] = [];
  return {
    remove: () => chart.remove(),
    show(of: ListingChart, palette: Palette): void {
      const precision = Math.min(12, Math.max(2, ...of.bars.flatMap((bar) => [places(bar.high), places(bar.low)])));
      candles.applyOptions({ priceFormat: { type: "price", precision, minMove: 10 ** -precision } });
      candles.setData(slots(of.bars));
      volume.setData(of.bars.map((bar): HistogramData<UTCTimestamp> => ({ time: seconds(bar.at), value: Number(bar.volume) })));
      marked.setMarkers(markers(of.marks, of.bars, palette));
      for (const line of lines) candles.removePriceLine(line);
      lines = of.lines.map((line) => candles.createPriceLine(priceLine(line, palette)));
    },
    look(bars: Bar[], span: number | null): void {
      const first = bars[0];
      if (!first) return;
      if (span === null) return chart.timeScale().fitContent();
      chart.timeScale().setVisibleLogicalRange({ from: -span / 15, to: span });
    },
  };
}
