// A field of a form, with what it is for and what is wrong with it.
import type { ComponentChildren } from "preact";

interface Around {
  id: string;
  label: string;
  hint?: string;
  fault?: string;
  class?: string;
}

/** What a control says of the texts around it. */
function spoken({ id, hint, fault }: Around) {
  const by = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ");
  return { id, "aria-invalid": fault ? true : undefined, "aria-describedby": by || undefined };
}

function Labelled({ children, ...a }: Around & { children: ComponentChildren }) {
  return (
    <div class={`form-field ${a.class ?? ""}`}>
      <label for={a.id}>{a.label}</label>
      {children}
      {a.hint && <p class="muted" id={`${a.id}-hint`}>{a.hint}</p>}
      {a.fault && <p class="fault" id={`${a.id}-fault`}>{a.fault}</p>}
    </div>
  );
}

interface TextProps extends Around {
  value: string;
  set: (value: string) => void;
  type?: "text" | "datetime-local";
  number?: boolean;
  required?: boolean;
  /** What was given before, to choose from. */
  known?: readonly string[];
}

export function TextField({ value, set, type = "text", number, required, known, ...a }: TextProps) {
  return (
    <Labelled {...a}>
      <input {...spoken(a)} class="field" type={type} value={value} inputMode={number ? "decimal" : undefined}
        autocomplete="off" spellcheck={false} required={required} list={known ? `${a.id}-known` : undefined}
        onInput={(e) => set(e.currentTarget.value)} />
      {known && (
        <datalist id={`${a.id}-known`}>
          {known.map((one) => <option key={one} value={one} />)}
        </datalist>
      )}
    </Labelled>
  );
}

export function LinesField({ value, set, ...a }: Around & { value: string; set: (value: string) => void }) {
  return (
    <Labelled {...a}>
      <textarea {...spoken(a)} class="field" rows={6} value={value} autocomplete="off" spellcheck={false} wrap="off"
        onInput={(e) => set(e.currentTarget.value)} />
    </Labelled>
  );
}

interface SelectProps extends Around {
  value: string;
  options: readonly [value: string, text: string][];
  set: (value: string) => void;
}

export function SelectField({ value, options, set, ...a }: SelectProps) {
  return (
    <Labelled {...a}>
      <select {...spoken(a)} value={value} onChange={(e) => set(e.currentTarget.value)}>
        {options.map(([key, text]) => <option key={key} value={key}>{text}</option>)}
      </select>
    </Labelled>
  );
}
