import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { api, ApiError } from "../api";
import { name } from "../format";
import { Ago } from "../time";
import type { Channel, ChannelChange, Channels, NoticeKind, QuietHours } from "../types";
import { Blocks, Button, Card, Empty, fieldClass, Problem, State, Tag } from "../ui";
import { NotHere } from "./NotHere";

/** Where the bot tells what happened. Addresses are secrets of the settings file and never come here. */
export function Notifications() {
  const asked = useQuery({ queryKey: ["channels"], queryFn: ({ signal }) => api.channels(signal), retry: false, refetchInterval: 15_000 });
  const absent = asked.error instanceof ApiError && asked.error.status === 404;
  const events = asked.data?.events ?? [];
  return (
    <Card title="Notifications" aside="read-only: nobody can command the bot through them">
      {absent ? <NotHere what="Notifications" />
        : asked.error ? <div className="px-3 pb-3"><Problem>{asked.error.message}</Problem></div>
        : !asked.data ? <Blocks rows={4} />
        : !asked.data.channels.length ? <Empty>No channel is set up: nobody hears of trouble while this page is closed. Put one under [notify] into mexc-sniper.toml (Telegram, Discord, Slack, e-mail or a webhook) and start again.</Empty>
        : <div>
            {asked.data.notifierRunning === false && <p role="alert" className="border-t border-line px-3 py-2 text-down">The notifier does not run: nothing is sent. mexc-sniper run starts it.</p>}
            {asked.data.channels.map((channel) => <One key={channel.id} channel={channel} events={events} />)}
            {asked.data.heartbeat && <Watchman heartbeat={asked.data.heartbeat} />}
          </div>}
    </Card>
  );
}

/** The outside address that notices when this machine falls silent. */
function Watchman({ heartbeat }: { heartbeat: NonNullable<Channels["heartbeat"]> }) {
  return (
    <p className="flex flex-wrap items-center gap-x-3 border-t border-line px-3 py-2.5">
      <span className="font-medium">Heartbeat to the outside</span>
      {heartbeat.failingSince ? <State tone="down">fails since <Ago at={heartbeat.failingSince} />: {name(heartbeat.lastError)}</State>
        : <span className="text-xs text-dim">{heartbeat.lastSentAt ? <>last beat <Ago at={heartbeat.lastSentAt} /></> : "no beat sent yet"}</span>}
    </p>
  );
}

function One({ channel, events }: { channel: Channel; events: NoticeKind[] }) {
  const client = useQueryClient();
  const id = useId();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const [tested, setTested] = useState<{ ok: boolean; detail: string } | null>(null);
  const [open, setOpen] = useState(false);
  const again = () => client.invalidateQueries({ queryKey: ["channels"] });
  const run = (deed: Promise<unknown>) => {
    setBusy(true);
    setProblem("");
    deed.then(again, (error: Error) => { setProblem(error.message); void again(); }).finally(() => setBusy(false));
  };
  const change = (what: ChannelChange) => run(api.setChannel(channel.id, { ...what, ...(channel.revision === undefined ? {} : { revision: channel.revision }) }));
  const test = () => { setTested(null); run(api.testChannel(channel.id).then(setTested)); };
  return (
    <div className="border-t border-line px-3 py-2.5">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <input id={`${id}-on`} type="checkbox" role="switch" className="switch" checked={channel.enabled} disabled={busy} onChange={(event) => change({ enabled: event.target.checked })} />
        <label htmlFor={`${id}-on`} className="min-w-0 font-medium"><bdi>{name(channel.name || channel.id)}</bdi></label>
        <Tag>{name(channel.kind)}</Tag>
        <span className="text-xs text-dim">
          {channel.lastError ? <State tone="down" title={name(channel.lastError)}><span className="cut max-w-72">{name(channel.lastError)}</span></State>
            : channel.lastSentAt ? <>last message <Ago at={channel.lastSentAt} /></> : "nothing sent yet"}
        </span>
        <span className="ml-auto flex gap-2">
          <Button className="h-7!" aria-expanded={open} aria-controls={`${id}-more`} onClick={() => setOpen(!open)}>What and when</Button>
          <Button className="h-7!" disabled={busy} onClick={test} aria-label={`Send a test message to ${name(channel.name || channel.id)}`}>Send a test</Button>
        </span>
      </div>
      <div role="status">
        {tested && <p className={`pt-2 ${tested.ok ? "text-up" : "text-down"}`}>{tested.ok ? "The test message arrived." : "The test message did not arrive."} {name(tested.detail)}</p>}
      </div>
      {problem && <div className="pt-2"><Problem>{problem}</Problem></div>}
      {open && (
        <div id={`${id}-more`} className="mt-3 grid gap-3 border-t border-line pt-3">
          <fieldset className="grid gap-x-6 gap-y-1 sm:grid-cols-2 lg:grid-cols-3">
            <legend className="pb-1 font-medium">Told of</legend>
            {events.map((event) => (
              <label key={event.id} className="flex items-center gap-2.5">
                <input
                  type="checkbox" className="size-4 accent-(--accent)" disabled={busy} checked={channel.events.includes(event.id)}
                  onChange={(chosen) => change({ events: chosen.target.checked ? [...channel.events, event.id] : channel.events.filter((known) => known !== event.id) })}
                />
                <span>{event.title}{event.urgent && <span className="text-warn"> · also in quiet hours</span>}</span>
              </label>
            ))}
          </fieldset>
          <Quiet hours={channel.quietHours} busy={busy} onChange={(quietHours) => change({ quietHours })} />
        </div>
      )}
    </div>
  );
}

const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

function Quiet({ hours, busy, onChange }: { hours: QuietHours | null; busy: boolean; onChange: (hours: QuietHours | null) => void }) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const [edit, setEdit] = useState<QuietHours>(hours ?? { start: "23:00", end: "07:00", zone });
  const bad = !TIME.test(edit.start) || !TIME.test(edit.end) ? "Write times like 23:00." : edit.start === edit.end ? "From and to are the same." : "";
  const same = hours !== null && hours.start === edit.start && hours.end === edit.end && hours.zone === edit.zone;
  const field = (key: "start" | "end", label: string) => (
    <label className="flex items-center gap-2">{label}
      <input className={`${fieldClass} w-20 text-center ${TIME.test(edit[key]) ? "" : "border-down"}`} value={edit[key]} aria-invalid={!TIME.test(edit[key])} onChange={(event) => setEdit({ ...edit, [key]: event.target.value })} inputMode="numeric" maxLength={5} />
    </label>
  );
  return (
    <fieldset>
      <legend className="pb-1 font-medium">Quiet hours <span className="font-normal text-dim">{hours ? `${hours.start} to ${hours.end}, ${hours.zone}; alarms come all the same` : "none; it tells at any time"}</span></legend>
      <div className="flex flex-wrap items-center gap-3">
        {field("start", "from")}{field("end", "to")}
        <label className="flex items-center gap-2">zone<input className={`${fieldClass} w-44`} value={edit.zone} onChange={(event) => setEdit({ ...edit, zone: event.target.value })} autoComplete="off" spellCheck={false} /></label>
        <Button className="h-8" disabled={busy || bad !== "" || same} onClick={() => onChange(edit)}>Set</Button>
        {hours && <Button className="h-8" disabled={busy} onClick={() => onChange(null)}>None</Button>}
      </div>
      {bad && <p role="alert" className="pt-1 text-down">{bad}</p>}
    </fieldset>
  );
}
