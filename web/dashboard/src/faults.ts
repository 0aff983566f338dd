// What the admin plane refuses, in the page's language: in English its own words; in Korean, which it does not
// speak, by the code of the refusal or the member that is wrong. Pure, but for the language.
import { ApiError } from "./api";
import { t, type TextKey } from "./strings";

const codes = [
  "role_not_allowed", "store_unavailable", "key_taken", "key_revoked", "no_such_key", "no_ledger", "no_store", "no_such_backend",
] as const;

/** Why a call failed. */
export function whyOf(error: unknown): string {
  if (!(error instanceof ApiError)) return t("fault_unreachable");
  const known = codes.find((code) => code === error.code);
  return known ? t(`fault_${known}`, { why: error.message }) : t("fault_other", { why: error.message });
}

const members: [RegExp, TextKey][] = [
  [/^(client|team)$/, "fault_name"],
  [/^(name|note)$/, "fault_text"],
  [/^deployments/, "fault_deployments"],
  [/^(overlap|expires_in)$/, "fault_duration"],
  [/^key(_sha256)?$/, "fault_key"],
];

/** What is wrong with `member` of what was asked for. */
export function faultOf(member: string, why: string): string {
  const range = /from (\S+) to (\S+)$/.exec(why);
  if (range) return t("fault_range", { why, least: range[1]!, most: range[2]! });
  if (member === "expires") return t(why.startsWith("is past") ? "fault_past" : "fault_when", { why });
  if (member === "" && why.startsWith("needs")) return t("fault_import_needs", { why });
  return t(members.find(([of]) => of.test(member))?.[1] ?? "fault_member", { why });
}
