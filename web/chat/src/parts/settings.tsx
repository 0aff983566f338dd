// Settings, and the list of shortcuts.
import { useState } from "preact/hooks";
import { language, setLanguage, type Language } from "../../../shared/i18n";
import { setTheme, theme, type Theme } from "../../../shared/theme";
import * as state from "../state";
import { t } from "../strings";
import { Confirm, Dialog } from "./dialog";
import { failureText } from "./trouble";

function Choice<T extends string>(props: { name: string; label: string; value: T; options: [T, string][]; onPick: (v: T) => void }) {
  return (
    <fieldset class="choice">
      <legend>{props.label}</legend>
      {props.options.map(([value, text]) => (
        <label key={value}>
          <input type="radio" name={props.name} checked={props.value === value} onChange={() => props.onPick(value)} />
          {text}
        </label>
      ))}
    </fieldset>
  );
}

function ModelSettings({ onDone }: { onDone: () => void }) {
  const session = state.session.value!;
  const [wrong, setWrong] = useState("");
  const save = async (form: HTMLFormElement) => {
    const data = new FormData(form);
    const text = (name: string) => {
      const value = data.get(name);
      return typeof value === "string" ? value.trim() : "";
    };
    const prompt = text("system_prompt");
    const temperature = text("temperature");
    try {
      await state.saveSettings({
        system_prompt: prompt === session.default_system_prompt ? "" : prompt,
        temperature: temperature === "" ? null : Number(temperature),
        max_tokens: Number(text("max_tokens") || 0),
        sources: Number(text("sources") || 4),
        follow_ups: data.has("follow_ups"),
        show_backend: data.has("show_backend"),
      });
      onDone();
    } catch (error) {
      const failure = state.asFailure(error);
      setWrong(failure.code === "invalid_settings" ? t("set_invalid", { why: failure.message }) : failureText(failure));
    }
  };
  const s = session.settings;
  return (
    <form onSubmit={(e) => (e.preventDefault(), void save(e.currentTarget))}>
      <label class="stacked">
        {t("set_system_prompt")}
        <textarea name="system_prompt" rows={4} maxLength={8000} defaultValue={s.system_prompt || session.default_system_prompt}
          aria-describedby="prompt-more" />
      </label>
      <p id="prompt-more" class="muted more">
        {t("set_system_prompt_more")}{" "}
        <button type="button" class="link"
          onClick={(e) => {
            const form = e.currentTarget.form!;
            (form.elements.namedItem("system_prompt") as HTMLTextAreaElement).value = session.default_system_prompt;
          }}>
          {t("restore_default")}
        </button>
      </p>
      <div class="grid">
        <label>
          {t("set_temperature")}
          <input class="field" name="temperature" type="number" min="0" max="2" step="0.1" defaultValue={s.temperature === null ? "" : String(s.temperature)}
            aria-describedby="temperature-more" />
        </label>
        <p id="temperature-more" class="muted more">{t("set_temperature_more")}</p>
        <label>
          {t("set_max_tokens")}
          <input class="field" name="max_tokens" type="number" min="0" max="100000" step="1" defaultValue={String(s.max_tokens)}
            aria-describedby="tokens-more" />
        </label>
        <p id="tokens-more" class="muted more">{t("set_max_tokens_more")}</p>
        <label>
          {t("set_sources")}
          <input class="field" name="sources" type="number" min="1" max="12" step="1" defaultValue={String(s.sources)} />
        </label>
      </div>
      <label class="check">
        <input type="checkbox" name="follow_ups" defaultChecked={s.follow_ups} />
        {t("set_follow_ups")}
      </label>
      <label class="check">
        <input type="checkbox" name="show_backend" defaultChecked={s.show_backend} />
        {t("set_show_backend")}
      </label>
      {wrong && (
        <p role="alert" class="note bad">
          {wrong}
        </p>
      )}
      <div class="row end">
        <button type="submit" class="button primary">
          {t("save")}
        </button>
      </div>
    </form>
  );
}

export function SettingsDialog() {
  const [removing, setRemoving] = useState(false);
  const close = () => (state.dialog.value = "");
  const session = state.session.value;
  if (!session) return null;
  return (
    <Dialog title={t("settings")} onClose={close}>
      <Choice<Language> name="language" label={t("set_language")} value={language.value}
        options={[["en", "English"], ["ko", "한국어"]]} onPick={setLanguage} />
      <Choice<Theme> name="theme" label={t("set_theme")} value={theme.value}
        options={[["system", t("theme_system")], ["light", t("theme_light")], ["dark", t("theme_dark")]]}
        onPick={setTheme} />
      <ModelSettings onDone={close} />
      <hr />
      <button type="button" class="button danger" onClick={() => setRemoving(true)}>
        {t("remove_all")}
      </button>
      <p class="muted more">
        {t("model_line", { model: session.model, host: session.host })} · Spillway {session.version}
      </p>
      {removing && (
        <Confirm question={t("remove_all_sure")} onClose={() => setRemoving(false)}
          onYes={() => void state.removeAll().then(close)} />
      )}
    </Dialog>
  );
}

export function ShortcutsDialog() {
  const keys: [string, string][] = [
    ["Enter", t("key_send")],
    ["Shift + Enter", t("key_newline")],
    ["Esc", t("key_stop")],
    ["/", t("key_focus")],
    ["↑", t("key_edit")],
    ["Ctrl + Shift + O", t("key_new")],
    ["?", t("key_help")],
  ];
  return (
    <Dialog title={t("shortcuts")} onClose={() => (state.dialog.value = "")}>
      <dl class="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
