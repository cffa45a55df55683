import { BaselineSeries, ColorType, createChart, CrosshairMode, LineStyle, type UTCTimestamp } from "lightweight-charts";
import { useEffect, useRef } from "react";
import { time } from "../format";
import { useTheme } from "../theme";
import type { CurvePoint } from "../types";
import { PALETTE } from "./palette";

/** Realized profit over time, green above zero and red below. */
export default function EquityChart({ points, label }: { points: CurvePoint[]; label: string }) {
  const place = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  useEffect(() => {
    if (!place.current) return;
    const colours = PALETTE[theme];
    const chart = createChart(place.current, {
      autoSize: true,
      layout: { background: { type: ColorType.Solid, color: colours.panel }, textColor: colours.text, fontFamily: '"Inter Variable", system-ui, sans-serif', fontSize: 11, attributionLogo: false },
      grid: { vertLines: { visible: false }, horzLines: { color: colours.grid } },
      rightPriceScale: { borderVisible: false },
      timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false },
      crosshair: { mode: CrosshairMode.Magnet },
      handleScroll: false, handleScale: false,
    });
    const line = chart.addSeries(BaselineSeries, {
      baseValue: { type: "price", price: 0 }, topLineColor: colours.up, topFillColor1: `${colours.up}33`, topFillColor2: `${colours.up}08`,
      bottomLineColor: colours.down, bottomFillColor1: `${colours.down}08`, bottomFillColor2: `${colours.down}33`, lineWidth: 2,
      priceLineVisible: false, lastValueVisible: true, priceFormat: { type: "price", precision: 2, minMove: 0.01 },
    });
    // The library wants ascending seconds, one value each: positions closed within a second share the last.
    const drawn = new Map<UTCTimestamp, number>();
    const first = points[0];
    if (first) drawn.set((Math.floor(time(first.at) / 1000) - 1) as UTCTimestamp, 0);
    for (const point of points) drawn.set(Math.floor(time(point.at) / 1000) as UTCTimestamp, Number(point.profit));
    line.setData([...drawn].map(([at, value]) => ({ time: at, value })));
    line.createPriceLine({ price: 0, color: colours.dim, lineWidth: 1, lineStyle: LineStyle.Dotted, axisLabelVisible: false, title: "" });
    chart.timeScale().fitContent();
    return () => chart.remove();
  }, [points, theme]);
  return <div ref={place} role="img" aria-label={label} className="h-[220px] w-full" />;
}
