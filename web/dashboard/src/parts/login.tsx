import { useState } from "preact/hooks";
import { logIn, trouble } from "../state";
import { t } from "../strings";

export function Login() {
  const [value, setValue] = useState("");
  return (
    <form
      class="card login"
      onSubmit={(e) => {
        e.preventDefault();
        if (value) logIn(value);
      }}
    >
      <p>{t("login_text")}</p>
      <label for="token">{t("token")}</label>
      <input id="token" class="field" type="password" autocomplete="current-password" autofocus required
        value={value} onInput={(e) => setValue(e.currentTarget.value)} />
      {trouble.value && (
        <p class="trouble" role="alert">
          {trouble.value}
        </p>
      )}
      <button type="submit" class="button primary">
        {t("log_in")}
      </button>
    </form>
  );
}
