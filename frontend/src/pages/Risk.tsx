import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api } from "../api";
import { readFields } from "../limits";
import { useWorld } from "../live";
import { ConfigForm } from "../panels/ConfigForm";
import { ConfigHistory } from "../panels/ConfigHistory";
import { Exposure } from "../panels/Exposure";
import { NeedsYou } from "../panels/NeedsYou";
import { Blocks, Card, Empty, Problem } from "../ui";

export function Risk() {
  const schema = useQuery({ queryKey: ["configSchema"], queryFn: ({ signal }) => api.configSchema(signal), staleTime: Infinity });
  const fields = useMemo(() => readFields(schema.data), [schema.data]);
  const known = useWorld((world) => world.config !== null);
  const current = useWorld((world) => world.config) ?? null;
  return (
    <>
      <h1 className="sr-only">Risk</h1>
      <div className="grid items-start gap-3 xl:grid-cols-[minmax(0,1fr)_380px]">
        <div className="grid min-w-0 gap-3">
          <NeedsYou />
          {schema.error ? <Card title="Limits"><div className="px-3 pb-3"><Problem>{schema.error.message}</Problem></div></Card>
            : known === false ? <Card title="Limits"><Empty>The engine has not written its configuration yet. It does so when it starts.</Empty></Card>
            : !current || !schema.data ? <Card title="Limits"><Blocks rows={12} height={48} /></Card>
            : <ConfigForm fields={fields} current={current} />}
        </div>
        <div className="grid min-w-0 gap-3">
          <Exposure fields={fields} />
          {current && <ConfigHistory fields={fields} current={current} />}
        </div>
      </div>
    </>
  );
}
