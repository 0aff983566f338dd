// What is asked before a key is rotated or revoked, and the keys that are taken over from elsewhere.
import { faultOf } from "../faults";
import { nameOf, readImport, type Faults } from "../keys";
import { close, importing, importKeys, open, overlap, revokeKey, rotateKey } from "../keys-state";
import { t } from "../strings";
import type { Key } from "../types";
import { CallDialog } from "./call-dialog";
import { LinesField, TextField } from "./field";
import { ExpiryForm, KeyForm } from "./key-form";

function Rotate({ of }: { of: Key }) {
  return (
    <CallDialog title={t("key_rotate_name", { name: nameOf(of) })} verb={t("key_rotate")} fields={["overlap"]}
      call={() => rotateKey(of)} close={close}>
      {(faults) => (
        <>
          <p>{t("key_rotate_text")}</p>
          <div class="fields">
            <TextField id="key-overlap" label={t("key_overlap_label")} hint={t("key_overlap_hint")} value={overlap.value}
              set={(value) => (overlap.value = value)} known={["0s", "1h", "24h", "7d"]} fault={faults.overlap} />
          </div>
        </>
      )}
    </CallDialog>
  );
}

function Revoke({ of }: { of: Key }) {
  return (
    <CallDialog title={t("key_revoke_name", { name: nameOf(of) })} verb={t("key_revoke")} danger
      call={() => revokeKey(of)} close={close}>
      {() => <p>{t("key_revoke_text", { name: nameOf(of), client: of.settings.client })}</p>}
    </CallDialog>
  );
}

/** A fault of `keys[2].client` is that of the third key's line. */
function inLine(param: string, message: string, lines: number[]): string {
  const [, at, member = ""] = /^keys\[(\d+)\]\.?(.*)$/.exec(param) ?? [];
  const said = faultOf(at === undefined ? param : member, message);
  const n = at === undefined ? undefined : lines[Number(at)];
  if (n === undefined) return `${param}: ${said}`;
  return t("fault_import_line", { n, why: member ? `${member}: ${said}` : said });
}

function Import() {
  const { text, file } = importing.value;
  const read = file ? readImport(text) : null; // for how many there are
  const call = async (): Promise<Faults | void> => {
    const all = readImport(importing.value.text);
    if ("wrong" in all) return { keys: t("fault_import_line", { n: all.wrong, why: t("fault_import_json") }) };
    if (all.keys.length === 0) return { keys: t("fault_import_none") };
    try {
      await importKeys(all.keys);
    } catch (error) {
      // A key that is wrong is wrong in its line.
      const problems = (error as { problems?: { param: string; message: string }[] }).problems ?? [];
      if (problems.length === 0) throw error;
      return { keys: problems.map(({ param, message }) => inLine(param, message, all.lines)).join(" ") };
    }
  };
  return (
    <CallDialog title={t("key_import")} verb={t("key_import_verb")} fields={["keys"]} wide call={call} close={close}>
      {(faults) => (
        <div class="fields">
          <p class="whole">{t("key_import_text")}</p>
          {file ? (
            <div class="form-field whole">
              <p>{t("key_import_some", { file, n: read && "keys" in read ? read.keys.length : 0 })}</p>
              <button type="button" class="button small" data-wrong={faults.keys ? "" : undefined}
                aria-describedby="key-file-fault" onClick={() => (importing.value = { text: "", file: "" })}>
                {t("key_import_other")}
              </button>
              <p class="fault" id="key-file-fault">{faults.keys}</p>
            </div>
          ) : (
            <>
              <LinesField id="key-lines" class="whole" label={t("key_import_lines")} hint={t("key_import_hint")} value={text}
                set={(value) => (importing.value = { text: value, file: "" })} fault={faults.keys} />
              <div class="form-field whole">
                <label for="key-file">{t("key_import_file")}</label>
                <input id="key-file" type="file" accept=".jsonl,.ndjson,.json,.txt"
                  onChange={(e) => {
                    const one = e.currentTarget.files?.[0];
                    if (one) void one.text().then((all) => (importing.value = { text: all, file: one.name }));
                  }} />
              </div>
            </>
          )}
        </div>
      )}
    </CallDialog>
  );
}

/** What is open. */
export function KeyDialog() {
  const what = open.value;
  switch (what?.kind) {
    case "make": return <KeyForm key="make" />;
    case "edit": return <KeyForm key={what.key.id} of={what.key} />;
    case "expire": return <ExpiryForm of={what.key} />;
    case "rotate": return <Rotate of={what.key} />;
    case "revoke": return <Revoke of={what.key} />;
    case "import": return <Import />;
    case undefined: return null;
  }
}
