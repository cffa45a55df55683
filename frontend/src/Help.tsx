import { GO } from "./keys";
import { Key, Modal } from "./ui";

export function Help({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const rows: [string[], string][] = [
    ...Object.entries(GO).map(([key, place]): [string[], string] => [["g", key], place.name]),
    [["/"], "Filter"],
    [["j", "k"], "Next and previous row"],
    [["Enter"], "Open the row"],
    [["Shift", "K"], "Open the kill switch"],
    [["d"], "Dark or light"],
    [["?"], "This list"],
    [["Esc"], "Close, or leave a field"],
  ];
  return (
    <Modal open={open} onOpenChange={onOpenChange} title="Keys">
      <dl>
        {rows.map(([keys, what]) => (
          <div key={what} className="flex items-center justify-between gap-4 border-t border-line py-1.5 first:border-t-0">
            <dt>{what}</dt>
            <dd className="flex gap-1">{keys.map((key) => <Key key={key}>{key}</Key>)}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-3 text-xs text-dim">No key changes what the bot does. They are off while you type.</p>
    </Modal>
  );
}
