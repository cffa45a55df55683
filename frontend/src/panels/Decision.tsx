import { Check, Minus, X } from "lucide-react";
import { label, NONE, name } from "../format";
import { At } from "../time";
import { GUARDS, TRIGGERS } from "../trading";
import type { Decision as Made, Guard } from "../types";
import { Card, Empty, Scroller } from "../ui";
import { ModeTag } from "./TradesTable";

const guardName = (guard: Guard) => GUARDS[guard.name] ?? (guard.name.charAt(0) + guard.name.slice(1).toLowerCase()).replaceAll("_", " ");

/** Why it was bought or not: every guard with what it measured and what it allows. */
export function Decision({ decision, exit = false, attempts = 1 }: { decision: Made | null; exit?: boolean; attempts?: number }) {
  if (!decision) return <Card title="Decision"><Empty>{exit ? "No entry decision was needed: this only gets out of a position." : "No decision is recorded for this trade."}</Empty></Card>;
  const bad = decision.guards.filter((guard) => guard.passed === false).length;
  const asked = decision.guards.filter((guard) => guard.passed !== null).length;
  return (
    <Card title={decision.reason === null ? "Why it was bought" : "Why it was not bought"} aside={<>{label(TRIGGERS, decision.trigger)} · <At at={decision.decidedAt} millis /> UTC · config {decision.configVersion}{attempts > 1 && `, attempt ${attempts}`} <ModeTag mode={decision.mode} /></>}>
      {decision.reasonText && <p className="px-3 pb-3 break-words"><b className="font-semibold">{decision.reasonText}</b></p>}
      {decision.guards.length > 0 && (
        <Scroller label="Guards" className="border-t border-line">
          <table className="w-full table-fixed border-collapse">
            <caption className="sr-only">Guards of this decision with measured value and limit; {bad} of {asked} refused</caption>
            <thead>
              <tr>
                <th scope="col" className="th w-[34%] max-sm:w-auto">Guard</th>
                <th scope="col" className="th w-[14%] max-sm:w-10"><span className="max-sm:sr-only">Result</span></th>
                <th scope="col" className="th num w-[26%] max-sm:hidden">Measured</th>
                <th scope="col" className="th num w-[26%] max-sm:hidden">Limit</th>
              </tr>
            </thead>
            <tbody>
              {decision.guards.map((guard, i) => (
                <tr key={`${guard.name} ${i}`} className="row">
                  <th scope="row" className="td text-left font-normal whitespace-normal!" title={guard.text}>
                    {guardName(guard)}
                    <span className="block pb-1 text-xs break-words text-dim sm:hidden"><bdi className="text-text">{name(guard.measured) || NONE}</bdi>{guard.limit && <>, limit <bdi>{name(guard.limit)}</bdi></>}</span>
                  </th>
                  <td className="td"><Result passed={guard.passed} /></td>
                  <td className="td num py-1.5 break-words whitespace-normal! max-sm:hidden"><bdi>{name(guard.measured) || NONE}</bdi></td>
                  <td className="td num py-1.5 break-words whitespace-normal! text-dim max-sm:hidden"><bdi>{name(guard.limit) || NONE}</bdi></td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
    </Card>
  );
}

function Result({ passed }: { passed: boolean | null }) {
  const [Icon, word, tone] = passed === null ? [Minus, "not asked", "text-dim"] as const : passed ? [Check, "passed", "text-up"] as const : [X, "refused", "text-down"] as const;
  return <span className={`inline-flex items-center gap-1.5 ${tone}`}><Icon aria-hidden size={14} /><span className="max-sm:sr-only">{word}</span></span>;
}
