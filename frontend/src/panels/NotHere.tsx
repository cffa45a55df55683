import { Empty } from "../ui";

/** A part of the program that this build does not have; said plainly instead of an empty form. */
export function NotHere({ what, how }: { what: string; how?: string }) {
  return <Empty>{what} cannot be managed on this page in this build.{how && <> The command line can: <code className="rounded-[4px] bg-raised px-1.5 py-0.5">{how}</code></>}</Empty>;
}
