import { useState } from "preact/hooks";
import { session } from "../session";
import { logIn, trouble } from "../state";
import { t } from "../strings";
import { LogIn } from "./who";

export function Login() {
  const [value, setValue] = useState("");
  const byProvider = session.value?.log_in ?? false;
  const said = trouble.value && (
    <p class="trouble" role="alert">
      {trouble.value}
    </p>
  );
  return (
    <>
      {byProvider && <LogIn said={said} />}
      <form
        class="card login"
        onSubmit={(e) => {
          e.preventDefault();
          if (value) logIn(value);
        }}
      >
        <p>{t("login_text")}</p>
        <label for="token">{t("token")}</label>
        <input id="token" class="field" type="password" autocomplete="current-password" autofocus={!byProvider} required
          value={value} onInput={(e) => setValue(e.currentTarget.value)} />
        {!byProvider && said}
        <button type="submit" class={byProvider ? "button" : "button primary"}>
          {t(byProvider ? "log_in_by_token" : "log_in")}
        </button>
      </form>
    </>
  );
}
