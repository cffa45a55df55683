import { useState } from "react";
import { askToNotify, notifying, setNotifying } from "../notify";
import { toggleTheme, useTheme } from "../theme";
import { Card, Segments } from "../ui";

/** What concerns only this browser; kept here and sent to nobody. */
export function ThisBrowser() {
  const theme = useTheme();
  const [on, setOn] = useState(notifying);
  const [refused, setRefused] = useState(false);
  const press = async (wanted: boolean) => {
    const allowed = wanted && (await askToNotify());
    setRefused(wanted && !allowed);
    setNotifying(allowed);
    setOn(allowed);
  };
  return (
    <Card title="This browser">
      <div className="grid gap-1 px-3 pb-3">
        <div className="flex min-h-9 items-center justify-between gap-4"><span id="scheme">Scheme</span><Segments label="Scheme" options={["dark", "light"] as const} value={theme} onChange={(next) => next !== theme && toggleTheme()} /></div>
        <label className="flex min-h-9 items-center justify-between gap-4 border-t border-line pt-1">
          <span>Tell me of new listings while this tab is in the background<span className="block text-xs text-dim">A notification of the browser; the page must stay open.</span></span>
          <input type="checkbox" role="switch" className="switch" checked={on} onChange={(event) => void press(event.target.checked)} />
        </label>
        {refused && <p role="alert" className="text-down">The browser does not allow notifications from this page. Allow them in its site settings and switch it on again.</p>}
      </div>
    </Card>
  );
}
