import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, ApiError } from "../api";
import { lookAgain } from "../live";
import { changes, type Field, type Values } from "../limits";
import { At } from "../time";
import type { Config } from "../types";
import { Blocks, Button, Card, Confirm, Empty, Problem } from "../ui";
import { Changes } from "./ConfigForm";

/** Every version, newest first, with what it changed; going back makes a new version. */
export function ConfigHistory({ fields, current }: { fields: Field[]; current: Config }) {
  const asked = useQuery({ queryKey: ["configHistory"], queryFn: ({ signal }) => api.configHistory(signal) });
  const [back, setBack] = useState<Config | null>(null);
  const [sure, setSure] = useState(false);
  const ask = (version: Config | null) => { setSure(false); setBack(version); };
  const perform = (version: number) => api.rollback(version, sure).then(lookAgain, (error: Error) => {
    // A large raise is asked for a second time, with what the engine says about it.
    setSure(error instanceof ApiError && error.code === "confirmation_required");
    throw error;
  });
  const byName = useMemo(() => new Map(fields.map((field) => [field.name, field])), [fields]);
  const versions = asked.data?.versions;
  return (
    <Card title="Versions" aside="UTC">
      {asked.error ? <div className="px-3 pb-3"><Problem>{asked.error.message}</Problem></div>
        : !versions ? <Blocks rows={4} />
        : versions.length === 0 ? <Empty>The defaults are in force. The first change you save becomes a version here.</Empty> : (
          <ol className="max-h-[420px] overflow-auto px-3 pb-1">
            {versions.map((version, i) => {
              const before = versions[i + 1];
              return (
                <li key={version.version} className="border-t border-line py-2 first:border-t-0">
                  <div className="flex min-h-7 items-center justify-between gap-3">
                    <span><b className="font-semibold">{version.version}</b> <span className="text-dim">by {version.updatedBy}, <At at={version.updatedAt} /></span></span>
                    {version.version === current.version ? <span className="text-dim">in force</span>
                      : <Button className="h-7!" onClick={() => ask(version)} aria-label={`Roll back to version ${version.version}`}>Roll back</Button>}
                  </div>
                  {before && <Changes changes={changes(before.config as Values, version.config as Values)} fields={byName} />}
                </li>
              );
            })}
          </ol>
        )}
      {back && (
        <Confirm open onOpenChange={(open) => !open && ask(null)} title={`Back to version ${back.version}`} action={`${sure ? "Raise it: roll" : "Roll"} back to version ${back.version}`} danger={sure} perform={() => perform(back.version)}>
          <p>Its values become a new version. This changes:</p>
          <Changes changes={changes(current.config as Values, back.config as Values)} fields={byName} />
        </Confirm>
      )}
    </Card>
  );
}
