// The trade configuration as the API describes it: every title, unit and range comes from its JSON Schema.
import { count, decimalText } from "./format";

export type Step = { gainPct: string; sharePct: string };
export type Value = string | number | boolean | string[] | Step[] | null;
export type Values = Record<string, Value>;

export type Field = {
  name: string; title: string; help: string; unit: string; group: string;
  kind: "switch" | "choice" | "whole" | "decimal" | "words" | "steps";
  min?: number; max?: number; choices: string[];
};

type Schema = Record<string, unknown>;
const object = (value: unknown): Schema => (typeof value === "object" && value !== null ? (value as Schema) : {});
const text = (value: unknown) => (typeof value === "string" ? value : "");

/** `maxTradeUsdt` → "Max trade usdt": only for a field without a title. */
export const humanized = (name: string) =>
  (name.charAt(0).toUpperCase() + name.slice(1)).replace(/([a-z\d])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);

export function readFields(schema: unknown): Field[] {
  const groups = new Map((Array.isArray(object(schema)["x-groups"]) ? (object(schema)["x-groups"] as unknown[]) : []).map((group) => [text(object(group).id), text(object(group).title)]));
  const group = (id: string) => groups.get(id) || (id ? humanized(id) : "Trading");
  const order = (raw: unknown) => Number(object(raw)["x-order"] ?? Infinity);
  return Object.entries(object(object(schema).properties)).sort(([, a], [, b]) => order(a) - order(b) || 0).map(([name, raw]) => {
    const property = object(raw);
    // A decimal is told as "number or text"; its range stands on the number.
    const forms = [property, ...(Array.isArray(property.anyOf) ? property.anyOf.map(object) : [])];
    const bound = (...keys: string[]) => {
      const found = forms.flatMap((form) => keys.map((key) => form[key])).find((value) => value !== undefined && value !== null);
      return found === undefined ? undefined : Number(found);
    };
    const types = forms.flatMap((form) => form.type);
    const choices = forms.flatMap((form) =>
      Array.isArray(form.enum) ? form.enum.map(String) : (/^\^\((\w+(?:\|\w+)+)\)\$$/.exec(text(form.pattern))?.[1]?.split("|") ?? []));
    const items = object(property.items);
    const kind = types.includes("boolean") ? "switch" : choices.length ? "choice"
      : types.includes("array") ? (items.$ref || items.properties ? "steps" : "words") : types.includes("integer") ? "whole" : "decimal";
    const min = bound("minimum", "exclusiveMinimum");
    const max = bound("maximum", "exclusiveMaximum");
    return {
      name, kind, choices, title: text(property.title) || humanized(name), help: text(property.description),
      unit: text(property["x-unit"]), group: group(text(property["x-group"])),
      ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }),
    };
  });
}

const isNumber = (typed: string) => /^-?\d+(\.\d+)?$/.test(typed);

/** One way to write a value, so that 20, "20" and "20.00" are the same. */
export function canonical(value: Value | undefined): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value))
    return value.map((item) => (typeof item === "string" ? item : `${canonical(item.gainPct)}:${canonical(item.sharePct)}`)).join(", ");
  const said = String(value).trim();
  return isNumber(said) ? decimalText(said) : said;
}

/** A value as a person reads it. */
export function shown(field: Field | undefined, value: Value | undefined): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (field?.kind === "steps") return (value as Step[] | null)?.map((step) => `${canonical(step.sharePct)} % at +${canonical(step.gainPct)} %`).join(", ") || "none";
  const said = canonical(value);
  return said === "" ? "none" : field?.unit ? `${said} ${field.unit}` : said;
}

export const range = ({ min, max }: Field) =>
  min === undefined ? (max === undefined ? "" : `at most ${count(max)}`) : max === undefined ? `at least ${count(min)}` : `${count(min)} to ${count(max)}`;

/** What is wrong with a typed value, in words; the server asks again and knows more. */
export function problemOf(field: Field, value: Value | undefined): string {
  if (field.kind === "steps") {
    const steps = (value ?? []) as Step[];
    return steps.some((step) => !isNumber(step.gainPct) || !isNumber(step.sharePct) || Number(step.gainPct) <= 0 || Number(step.sharePct) <= 0)
      ? "Every step needs two numbers above zero." : "";
  }
  if (field.kind !== "whole" && field.kind !== "decimal") return "";
  const typed = String(value ?? "").trim();
  if (!isNumber(typed)) return typed === "" ? "A number is needed." : "This is not a number.";
  if (field.kind === "whole" && !/^-?\d+$/.test(typed)) return "A whole number is needed.";
  const size = Number(typed);
  return (field.min !== undefined && size < field.min) || (field.max !== undefined && size > field.max) ? `Must be ${range(field)}.` : "";
}

/** As the API takes it: whole numbers as numbers, decimals as text. */
export const sendable = (field: Field | undefined, value: Value): Value =>
  field?.kind === "whole" ? Number(value) : typeof value === "string" ? value.trim() : value;

export type Change = { name: string; from: Value | undefined; to: Value };

export const changes = (from: Values, to: Values): Change[] =>
  Object.entries(to).filter(([name, value]) => canonical(from[name]) !== canonical(value)).map(([name, value]) => ({ name, from: from[name], to: value }));

/** The fields a refusal names, whoever refused: the API's own check or the engine's. */
export function fieldProblems(details: Record<string, unknown>): Record<string, string> {
  const fields = details.fields;
  if (Array.isArray(fields))
    return Object.fromEntries(fields.map((item) => [leaf(text(object(item).name)), text(object(item).problem) || text(object(item).message)]));
  return Object.fromEntries(Object.entries(object(fields)).map(([name, said]) => [leaf(name), text(said)]));
}
const leaf = (path: string) => path.replace(/^(body\.)?(config\.)?/, "").split(".")[0] ?? path;
